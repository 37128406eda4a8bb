import { imageOf, type TestImage } from "./image.ts"
import { shellRoot } from "./shell.ts"
import type { TarEntry } from "./tar.ts"

/** A directory of an image, with owner and mode. */
interface Directory {
  readonly path: string
  readonly owner: readonly [uid: number, gid: number]
  readonly mode: number
  /** As ls shows it. */
  readonly shown: string
}

/** The form of a public image, and how Docker starts it. */
export interface ImageForm {
  readonly name: string
  readonly config: {
    readonly Env?: ReadonlyArray<string>
    readonly User?: string
    readonly WorkingDir?: string
    readonly Entrypoint?: ReadonlyArray<string>
    readonly Cmd: ReadonlyArray<string>
    readonly Volumes?: Readonly<Record<string, object>>
    readonly ExposedPorts?: Readonly<Record<string, object>>
    readonly StopSignal?: string
    readonly Healthcheck?: { readonly Test: ReadonlyArray<string>; readonly Interval: number }
  }
  readonly directories: ReadonlyArray<Directory>
  /** Log files that lead to /dev/stdout. */
  readonly logs?: ReadonlyArray<string>
  /** Docker's: ids, further groups, directory and HOME. */
  readonly started: string
}

const PATH = "PATH=/usr/local/bin:/usr/bin:/bin"
const entrypoint = ["docker-entrypoint.sh"]
const at = (path: string, uid: number, gid: number, mode: number, shown: string): Directory => ({
  path,
  owner: [uid, gid],
  mode,
  shown
})

export const imageForms: ReadonlyArray<ImageForm> = [
  {
    name: "mariadb",
    config: {
      Env: [PATH, "MARIADB_VERSION=11.4"],
      Entrypoint: entrypoint,
      Cmd: ["mariadbd"],
      Volumes: { "/var/lib/mysql": {} },
      ExposedPorts: { "3306/tcp": {} }
    },
    directories: [
      at("/run/mysqld", 999, 999, 0o1777, "drwxrwxrwt"),
      at("/var/lib/mysql", 999, 999, 0o755, "drwxr-xr-x")
    ],
    started: "id=0:0 groups=0 cwd=/ HOME=/root"
  },
  {
    name: "postgres",
    config: {
      Env: [PATH, "PGDATA=/var/lib/postgresql/data"],
      User: "service",
      Entrypoint: entrypoint,
      Cmd: ["postgres"],
      Volumes: { "/var/lib/postgresql/data": {} },
      ExposedPorts: { "5432/tcp": {} },
      StopSignal: "SIGINT"
    },
    directories: [
      at("/run/postgresql", 999, 999, 0o3777, "drwxrwsrwt"),
      at("/var/lib/postgresql/data", 999, 999, 0o1777, "drwxrwxrwt")
    ],
    started: "id=999:999 groups=999 50 cwd=/ HOME=/var/lib/service"
  },
  {
    name: "nginx",
    config: {
      Env: [PATH, "NGINX_VERSION=1.27"],
      Entrypoint: ["/docker-entrypoint.sh"],
      Cmd: ["nginx", "-g", "daemon off;"],
      ExposedPorts: { "80/tcp": {} },
      StopSignal: "SIGQUIT"
    },
    directories: [at("/var/cache/nginx", 101, 0, 0o755, "drwxr-xr-x")],
    logs: ["/var/log/nginx/access.log"],
    started: "id=0:0 groups=0 cwd=/ HOME=/root"
  },
  {
    name: "redis",
    config: {
      Env: [PATH],
      WorkingDir: "/data",
      Entrypoint: entrypoint,
      Cmd: ["redis-server"],
      Volumes: { "/data": {} },
      ExposedPorts: { "6379/tcp": {} }
    },
    directories: [at("/data", 999, 1000, 0o755, "drwxr-xr-x")],
    started: "id=0:0 groups=0 cwd=/data HOME=/root"
  },
  {
    name: "httpd",
    config: {
      Env: [PATH, "HTTPD_PREFIX=/usr/local/apache2"],
      WorkingDir: "/usr/local/apache2",
      Cmd: ["httpd-foreground"],
      ExposedPorts: { "80/tcp": {} },
      StopSignal: "SIGWINCH"
    },
    directories: [at("/usr/local/apache2", 33, 33, 0o755, "drwxr-xr-x")],
    logs: ["/usr/local/apache2/logs/access_log"],
    started: "id=0:0 groups=0 cwd=/usr/local/apache2 HOME=/root"
  },
  {
    name: "node",
    config: {
      Env: [PATH, "NODE_VERSION=22.11.0"],
      User: "1000",
      Entrypoint: entrypoint,
      Cmd: ["node"]
    },
    directories: [at("/home/vscode", 1000, 1000, 0o755, "drwxr-xr-x")],
    started: "id=1000:1000 groups=1000 cwd=/ HOME=/home/vscode"
  },
  {
    name: "python",
    config: {
      Env: [PATH, "LANG=C.UTF-8", "GPG_KEY=A035"],
      User: "1234",
      WorkingDir: "/made/by/start",
      Cmd: ["python3"]
    },
    directories: [],
    started: "id=1234:0 groups=0 cwd=/made/by/start HOME=/"
  },
  {
    name: "rabbitmq",
    config: {
      Env: [PATH, "HOME=/var/lib/rabbitmq"],
      Entrypoint: entrypoint,
      Cmd: ["rabbitmq-server"],
      Volumes: { "/var/lib/rabbitmq": {} },
      ExposedPorts: { "4369/tcp": {}, "5672/tcp": {} }
    },
    directories: [at("/var/lib/rabbitmq", 999, 999, 0o777, "drwxrwxrwx")],
    started: "id=0:0 groups=0 cwd=/ HOME=/var/lib/rabbitmq"
  },
  {
    name: "mongo",
    config: {
      Env: [PATH, "HOME=/data/db"],
      User: "service:staff",
      Entrypoint: entrypoint,
      Cmd: ["mongod"],
      Volumes: { "/data/configdb": {}, "/data/db": {} },
      ExposedPorts: { "27017/tcp": {} },
      Healthcheck: { Test: ["CMD", "true"], Interval: 10_000_000_000 }
    },
    directories: [at("/data/db", 999, 999, 0o755, "drwxr-xr-x")],
    started: "id=999:50 groups=50 cwd=/ HOME=/data/db"
  },
  {
    name: "alpine",
    config: { Env: [PATH], Cmd: ["/bin/sh"] },
    directories: [],
    started: "id=0:0 groups=0 cwd=/ HOME=/root"
  }
]

/** What each form's program prints: how it was started, the owners of its directories, its variables and a line of its log. */
const facts = ({ directories, logs = [] }: ImageForm) =>
  `#!/bin/sh
echo "started: id=$(id -u):$(id -g) groups=$(id -G) cwd=$(pwd) HOME=$HOME"
echo "command: $FORM $*"
umask
for one in ${directories.map(({ path }) => path).join(" ")}; do
  set -- $(ls -ldn $one); echo "$one $1 $3:$4"
done
for one in ${logs.join(" ")}; do echo "into $one" >$one; done
env
`

/** An image of the form, with a shell and some programs of this host. */
export const imageOfForm = (form: ImageForm): TestImage => {
  const [program = ""] = form.config.Cmd
  const entries: ReadonlyArray<TarEntry> = [
    ...shellRoot().filter(({ name }) => !/^etc\/(passwd|group)$/.test(name)),
    {
      name: "etc/passwd",
      data:
        "root:x:0:0::/root:/bin/sh\nservice:x:999:999::/var/lib/service:/bin/sh\nvscode:x:1000:1000::/home/vscode:/bin/sh\n",
      mode: 0o644
    },
    { name: "etc/group", data: "root:x:0:\nservice:x:999:\nstaff:x:50:service\nvscode:x:1000:\n", mode: 0o644 },
    { name: "docker-entrypoint.sh", data: "#!/bin/sh\nexec \"$@\"\n" },
    { name: "usr/local/bin/docker-entrypoint.sh", type: "2", target: "/docker-entrypoint.sh" },
    { name: "bin/facts", data: facts(form) },
    ...(program.startsWith("/") ? [] : [
      { name: `usr/local/bin/${program}`, data: `#!/bin/sh\nFORM=${program} exec /bin/facts "$@"\n` }
    ]),
    ...form.directories.filter(({ path }) => path !== "/home/vscode").map((
      { mode, owner: [uid, gid], path }
    ): TarEntry => ({ name: `${path.slice(1)}/`, type: "5", uid, gid, mode })),
    ...(form.logs ?? []).map((log): TarEntry => ({ name: log.slice(1), type: "2", target: "/dev/stdout" }))
  ]
  return imageOf([entries], form.config)
}
