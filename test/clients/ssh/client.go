// What an editor does over SSH, by golang.org/x/crypto/ssh and pkg/sftp: ADDRESS USER KEY_FILE HOST_KEY PORT.
package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

func must[A any](value A, err error) A {
	if err != nil {
		panic(err)
	}
	return value
}

func demand(holds bool, what string) {
	if !holds {
		panic(what)
	}
}

func main() {
	address, user, port := os.Args[1], os.Args[2], os.Args[5]
	key := must(ssh.ParsePrivateKey(must(os.ReadFile(os.Args[3]))))
	hostKey, _, _, _, err := ssh.ParseAuthorizedKey([]byte(os.Args[4]))
	must(hostKey, err)
	client := must(ssh.Dial("tcp", address, &ssh.ClientConfig{
		User:            user,
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(key)},
		HostKeyCallback: ssh.FixedHostKey(hostKey),
	}))
	session := must(client.NewSession())
	var stdout, stderr bytes.Buffer
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader("input"), &stdout, &stderr
	var exit *ssh.ExitError
	demand(errors.As(session.Run("cat; echo error >&2; exit 7"), &exit) && exit.ExitStatus() == 7, "status")
	demand(stdout.String() == "input" && stderr.String() == "error\n", stdout.String()+stderr.String())
	fmt.Println("exec")

	files := must(sftp.NewClient(client))
	content := make([]byte, 8_000_000)
	must(rand.Read(content))
	must(0, files.MkdirAll("by-go/inner"))
	file := must(files.Create("by-go/inner/file"))
	must(file.ReadFrom(bytes.NewReader(content)))
	must(0, file.Close())
	must(0, files.PosixRename("by-go/inner/file", "by-go/inner/renamed"))
	demand(must(files.Stat("by-go/inner/renamed")).Size() == int64(len(content)), "size")
	var back bytes.Buffer
	file = must(files.Open("by-go/inner/renamed"))
	must(file.WriteTo(&back))
	demand(bytes.Equal(back.Bytes(), content), "content")
	demand(len(must(files.ReadDir("by-go/inner"))) == 1, "list")
	must(0, file.Close())
	must(0, files.RemoveAll("by-go"))
	fmt.Println("sftp")

	for _, where := range [][2]string{{"tcp", "localhost:" + port}, {"unix", "/tmp/echo.sock"}} {
		connection := must(client.Dial(where[0], where[1]))
		go func() {
			must(connection.Write(content[:1_000_000]))
			must(0, connection.(interface{ CloseWrite() error }).CloseWrite())
		}()
		demand(bytes.Equal(must(io.ReadAll(connection)), content[:1_000_000]), where[0])
		// The server has closed the channel: Close then says EOF.
		_ = connection.Close()
	}
	var closed net.Conn
	closed, err = client.Dial("tcp", "localhost:1")
	demand(err != nil && closed == nil, "a closed port accepts")
	fmt.Println("forward")

	session = must(client.NewSession())
	must(0, session.RequestPty("xterm", 43, 132, ssh.TerminalModes{ssh.ECHO: 0}))
	demand(strings.TrimSpace(string(must(session.Output("stty size")))) == "43 132", "size of the terminal")
	fmt.Println("terminal")
	must(0, client.Close())
}
