# What an editor does over SSH, by asyncssh, which reads the configuration of OpenSSH itself: CONFIG HOST PORT.
import asyncio
import os
import sys

import asyncssh

config, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])


async def main():
    async with asyncssh.connect(host, config=[config]) as connection:
        done = await connection.run("cat; echo error >&2; exit 7", input="input")
        assert (done.stdout, done.stderr, done.exit_status) == ("input", "error\n", 7), done
        many = await asyncio.gather(*(connection.run(f"sleep 0.2; echo {i}", check=True) for i in range(8)))
        assert [one.stdout for one in many] == [f"{i}\n" for i in range(8)]
        print("exec")
        async with connection.start_sftp_client() as sftp:
            content = os.urandom(8_000_000)
            await sftp.mkdir("by-asyncssh")
            async with sftp.open("by-asyncssh/file", "wb") as file:
                await file.write(content)
            await sftp.rename("by-asyncssh/file", "by-asyncssh/renamed")
            await sftp.chmod("by-asyncssh/renamed", 0o640)
            assert (await sftp.stat("by-asyncssh/renamed")).size == len(content)
            async with sftp.open("by-asyncssh/renamed", "rb") as file:
                assert await file.read() == content
            assert sorted(await sftp.listdir("by-asyncssh")) == [".", "..", "renamed"]
            await sftp.rmtree("by-asyncssh")
        print("sftp")
        reader, writer = await connection.open_connection("localhost", port, encoding=None)
        sent = os.urandom(1_000_000)

        async def send():
            writer.write(sent)
            await writer.drain()
            writer.write_eof()

        _, got = await asyncio.gather(send(), reader.read())
        assert got == sent
        print("forward")
        terminal = await connection.run("stty size", term_type="xterm", term_size=(132, 43))
        assert terminal.stdout.strip() == "43 132", terminal
        print("terminal")


asyncio.run(main())
