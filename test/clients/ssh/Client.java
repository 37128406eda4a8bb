import java.io.ByteArrayOutputStream;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import net.schmizz.sshj.SSHClient;
import net.schmizz.sshj.common.Buffer;
import net.schmizz.sshj.connection.channel.direct.Session;
import net.schmizz.sshj.transport.verification.HostKeyVerifier;

/** What an editor does over SSH, by sshj: PORT_OF_BRIDGE USER KEY_FILE HOST_KEY PORT. JetBrains' own client descends from it. */
public class Client {
  static void demand(boolean holds, String what) {
    if (!holds) throw new IllegalStateException(what);
  }

  public static void main(String[] args) throws Exception {
    SSHClient client = new SSHClient();
    client.addHostKeyVerifier(new HostKeyVerifier() {
      public boolean verify(String host, int port, java.security.PublicKey key) {
        byte[] blob = new Buffer.PlainBuffer().putPublicKey(key).getCompactData();
        return args[3].split(" ")[1].equals(Base64.getEncoder().encodeToString(blob));
      }

      public java.util.List<String> findExistingAlgorithms(String host, int port) {
        return java.util.List.of("ssh-ed25519");
      }
    });
    client.connect("127.0.0.1", Integer.parseInt(args[0]));
    client.authPublickey(args[1], args[2]);
    try (Session session = client.startSession()) {
      Session.Command command = session.exec("cat; echo error >&2; exit 7");
      command.getOutputStream().write("input".getBytes(StandardCharsets.UTF_8));
      command.getOutputStream().close();
      demand(new String(command.getInputStream().readAllBytes()).equals("input"), "stdout");
      demand(new String(command.getErrorStream().readAllBytes()).equals("error\n"), "stderr");
      command.join(30, TimeUnit.SECONDS);
      demand(command.getExitStatus() == 7, "status");
    }
    System.out.println("exec");

    byte[] content = new byte[8_000_000];
    new Random().nextBytes(content);
    File file = File.createTempFile("sshj", ".bin");
    File back = File.createTempFile("sshj", ".back");
    Files.write(file.toPath(), content);
    try (var sftp = client.newSFTPClient()) {
      sftp.mkdirs("by-sshj/inner");
      sftp.put(file.getPath(), "by-sshj/inner/file");
      sftp.rename("by-sshj/inner/file", "by-sshj/inner/renamed");
      demand(sftp.size("by-sshj/inner/renamed") == content.length, "size");
      sftp.get("by-sshj/inner/renamed", back.getPath());
      demand(Arrays.equals(Files.readAllBytes(back.toPath()), content), "content");
      demand(sftp.ls("by-sshj/inner").size() == 1, "list");
      sftp.rm("by-sshj/inner/renamed");
      sftp.rmdir("by-sshj/inner");
      sftp.rmdir("by-sshj");
    }
    demand(file.delete() && back.delete(), "temporary files");
    System.out.println("sftp");

    try (var connection = client.newDirectConnection("localhost", Integer.parseInt(args[4]))) {
      Thread sender = new Thread(() -> {
        try {
          connection.getOutputStream().write(content, 0, 1_000_000);
          connection.getOutputStream().close();
        } catch (java.io.IOException cause) {
          throw new IllegalStateException(cause);
        }
      });
      sender.start();
      ByteArrayOutputStream got = new ByteArrayOutputStream();
      connection.getInputStream().transferTo(got);
      sender.join();
      demand(Arrays.equals(got.toByteArray(), Arrays.copyOf(content, 1_000_000)), "echo");
    }
    System.out.println("forward");

    try (Session session = client.startSession()) {
      session.allocatePTY("xterm", 132, 43, 0, 0, java.util.Map.of());
      Session.Command command = session.exec("stty size");
      demand(new String(command.getInputStream().readAllBytes()).trim().equals("43 132"), "size of the terminal");
    }
    System.out.println("terminal");
    client.disconnect();
  }
}
