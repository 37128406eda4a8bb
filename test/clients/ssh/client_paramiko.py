# What an editor does over SSH, by paramiko, with the entry of OpenSSH's configuration: ENTRY HOST PORT.
import os
import sys

import paramiko

entry, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(entry) as file:
    options = paramiko.SSHConfig.from_file(file).lookup(host)
client = paramiko.SSHClient()
client.load_host_keys(options["userknownhostsfile"].strip('"'))
client.connect(
    options["hostkeyalias"],
    username=options["user"],
    key_filename=[one.strip('"') for one in options["identityfile"]],
    sock=paramiko.ProxyCommand(options["proxycommand"]),
    allow_agent=False,
    look_for_keys=False,
)
stdin, stdout, stderr = client.exec_command("cat; echo error >&2; exit 7")
stdin.write("input")
stdin.channel.shutdown_write()
assert (stdout.read(), stderr.read(), stdout.channel.recv_exit_status()) == (b"input", b"error\n", 7)
print("exec")
sftp = client.open_sftp()
content = os.urandom(8_000_000)
sftp.mkdir("by-paramiko")
with sftp.open("by-paramiko/file", "wb") as file:
    file.set_pipelined(True)
    file.write(content)
sftp.rename("by-paramiko/file", "by-paramiko/renamed")
assert sftp.stat("by-paramiko/renamed").st_size == len(content)
with sftp.open("by-paramiko/renamed", "rb") as file:
    file.prefetch()
    assert file.read() == content
assert sftp.listdir("by-paramiko") == ["renamed"]
sftp.remove("by-paramiko/renamed")
sftp.rmdir("by-paramiko")
print("sftp")
channel = client.get_transport().open_channel("direct-tcpip", ("localhost", port), ("127.0.0.1", 1))
sent, got = os.urandom(100_000), b""
channel.sendall(sent)
channel.shutdown_write()
while piece := channel.recv(65536):
    got += piece
assert got == sent
print("forward")
session = client.get_transport().open_session()
session.get_pty("xterm", 132, 43)
session.exec_command("stty size")
assert session.makefile().read().strip() == b"43 132"
print("terminal")
client.close()
