const PULLS = "`pyro env pull`, `env build`, `create`, `run` and `up` with an image, a Dockerfile or a dev container"

/** Variables that say where the logins and the mirrors of registries are. A part of `variables`. */
export const registryVariables = {
  PYRO_REGISTRY_MIRRORS: {
    group: "pyro",
    allowed: { kind: "mirrors" },
    otherwise: "none",
    purpose: "Mirrors that pulls ask before the registry, such as `docker.io=mirror.example.com/hub`",
    readers: "the daemon, when it starts; commands that use logins of registries"
  },
  DOCKER_CONFIG: {
    group: "host",
    allowed: { kind: "text", what: "a directory" },
    otherwise: "`~/.docker`",
    purpose: "Directory of `config.json` with the logins of `docker login`",
    readers: PULLS
  },
  REGISTRY_AUTH_FILE: {
    group: "host",
    allowed: { kind: "text", what: "a file" },
    otherwise: "`$XDG_RUNTIME_DIR/containers/auth.json`",
    purpose: "File with the logins of `podman login`, which comes first",
    readers: PULLS
  },
  XDG_RUNTIME_DIR: {
    group: "host",
    allowed: { kind: "text", what: "a directory" },
    otherwise: "none",
    purpose: "Directory of `containers/auth.json`",
    readers: PULLS
  }
} as const
