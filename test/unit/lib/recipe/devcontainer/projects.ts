/** Files of devcontainer.json in the shapes that well-known public repositories have, by the kind of project. */
export const projects = {
  python: `// For format details, see https://aka.ms/devcontainer.json.
{
	"name": "Python 3",
	"image": "mcr.microsoft.com/devcontainers/python:1-3.12-bookworm",
	// "features": {},
	"postCreateCommand": "pip3 install --user -r requirements.txt",
	"customizations": { "vscode": { "extensions": ["ms-python.python"] } },
	// "remoteUser": "root"
}`,
  node: `{
  "name": "Node.js & TypeScript",
  "image": "mcr.microsoft.com/devcontainers/typescript-node:1-22-bookworm",
  "features": {
    "ghcr.io/devcontainers/features/github-cli:1": {},
    "ghcr.io/devcontainers/features/docker-in-docker:2": { "moby": true, "version": "latest" },
    "ghcr.io/devcontainers-contrib/features/pnpm:2": "9",
  },
  "forwardPorts": [3000, "db:5432"],
  "portsAttributes": { "3000": { "label": "App", "onAutoForward": "notify" } },
  "onCreateCommand": "pnpm install --frozen-lockfile",
  "updateContentCommand": ["pnpm", "run", "build"],
  "postAttachCommand": { "server": "pnpm start", "notes": "cat docs/notes.md" },
  "waitFor": "onCreateCommand",
  "hostRequirements": { "cpus": 4, "memory": "8gb", "storage": "32gb" },
  "remoteUser": "node"
}`,
  go: `{
  "build": { "dockerfile": "Dockerfile", "args": { "VARIANT": "1.23-bookworm", "NODE_VERSION": "none" } },
  "runArgs": ["--cap-add=SYS_PTRACE", "--security-opt", "seccomp=unconfined"],
  "settings": { "go.toolsManagement.checkForUpdates": "local" },
  "extensions": ["golang.Go"],
  "remoteUser": "vscode",
  "containerEnv": { "GOFLAGS": "-buildvcs=false" },
  "remoteEnv": { "GOPATH": "/go", "PATH": "\${containerEnv:PATH}:/go/bin" }
}`,
  rust: `{
  "name": "Rust",
  "image": "mcr.microsoft.com/devcontainers/rust:1-bookworm",
  "mounts": [{ "source": "devcontainer-cargo-cache-\${devcontainerId}", "target": "/usr/local/cargo", "type": "volume" }],
  "postCreateCommand": { "deps": ["cargo", "fetch"], "tools": "rustup component add clippy" },
  "capAdd": ["SYS_PTRACE"], "securityOpt": ["seccomp=unconfined"]
}`,
  ruby: `{
  "name": "forem", "dockerComposeFile": ["docker-compose.yml"], "service": "rails-app",
  "workspaceFolder": "/workspaces/\${localWorkspaceFolderBasename}",
  "shutdownAction": "stopCompose", "postCreateCommand": "bin/setup --skip-server"
}`,
  java: `{
  "name": "Java",
  "dockerFile": "Dockerfile", "context": "..",
  "workspaceMount": "source=\${localWorkspaceFolder},target=/home/vscode/src,type=bind,consistency=cached",
  "workspaceFolder": "/home/vscode/src/server",
  "postStartCommand": "git config --global --add safe.directory \${containerWorkspaceFolder}",
  "updateRemoteUserUID": true
}`,
  cpp: `{
  "name": "C++",
  "build": { "dockerfile": "../docker/dev.Dockerfile", "context": "..", "target": "dev", "cacheFrom": "ghcr.io/org/dev:cache" },
  "initializeCommand": "docker pull ghcr.io/org/dev:cache",
  "privileged": true, "init": true,
  "features": { "./local-features/conan": { "version": "2" } }
}`,
  php: `{
  "build": { "dockerfile": "Dockerfile", "args": { "TOKEN": "\${localEnv:GITHUB_TOKEN}", "PHP": "\${localEnv:PHP:8.3}" } },
  "overrideCommand": false,
  "appPort": [8080],
  "remoteUser": "www-data",
  "secrets": { "GITHUB_TOKEN": { "description": "token" } }
}`,
  older: `{
  "name": "Go", "dockerFile": "../Dockerfile.dev", "context": "..", "appPort": 8123,
  "features": { "git": "os-provided", "golang": "1.17" },
  "overrideFeatureInstallOrder": ["golang"]
}`,
  conda: `{
  "build": { "context": "./", "dockerfile": "../Dockerfile", "args": { "CLANG_VERSION": "" } },
  "workspaceMount": "source=\${localWorkspaceFolder},target=/workspace/torch,type=bind,consistency=cached",
  "workspaceFolder": "/workspace/torch",
  "containerEnv": { "PIP_USER": "0" }
}`,
  docs: `{ "image": "node:22" }`,
  monorepo: `{
  "$schema": "https://raw.githubusercontent.com/devcontainers/spec/main/schemas/devContainer.schema.json",
  "name": "backend of \${localWorkspaceFolderBasename}",
  "image": "ghcr.io/org/backend@sha256:${"a".repeat(64)}",
  "workspaceFolder": "/workspaces/mono/services/backend",
  "userEnvProbe": "loginInteractiveShell",
  "containerUser": "dev",
  "postCreateCommand": "./setup.sh \${containerWorkspaceFolder} \${localWorkspaceFolder}",
  "madeUp": 1
}`
} as const
