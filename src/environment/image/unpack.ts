import { Effect } from "effect"
import * as path from "node:path"
import { readText } from "../../system/files/content.ts"
import { exists } from "../../system/files/entries.ts"
import { makeFolder } from "../../system/files/folders.ts"
import type { Temporary } from "../../system/files/temporary.ts"
import { ToolFailed } from "../../system/processes/child.ts"
import { needTool, runSupervised } from "./host-tools.ts"

/** Longest that unpacking may take: an archive of the limit's size on a slow disk. */
const unpackTimeout = "20 minutes"

/** Maximum bytes of one file and of the image, against a terabyte of zeros. */
const mostMib = 16 * 1024

/**
 * Unpacks /in/root.tar and makes an image in /out. The archive comes from a guest. Devices are left out, because the sandbox has no
 * capability to make one. Links stay inside this sandbox, and no file grows beyond the limit. Missing mount points of the guest's
 * kernel and of pyro are made, and the modules are the kernel's own.
 */
const script = `
set -u
ulimit -f "$PYRO_MOST_KIB"
mkdir /out/root || exit 1
tar -C /out/root -xf /in/root.tar --numeric-owner --same-owner --same-permissions \\
  --xattrs --xattrs-include=security.capability --xattrs-include='user.*' 2>/out/errors
code=$?
known="(: Cannot mknod: Operation not permitted|Exiting with failure status due to previous errors)$"
if [ "$code" != 0 ] && { [ "$code" != 2 ] || grep -Eqv "$known" /out/errors; }; then
  grep -Ev "$known" /out/errors | tail -n 3 >&2
  echo "unpacking ended with $code (153: a file has more than $((PYRO_MOST_KIB / 1024)) MiB)" >&2
  exit 1
fi
set -e
cd /out/root
mkdir -p proc sys dev run tmp workspace
chmod 1777 tmp
for name in hostname hosts machine-id; do : >"etc/$name"; done
rm -rf usr/lib/modules
tar --no-same-owner -xf /in/modules.tar
cd /out
dpkg-query --admindir=/out/root/var/lib/dpkg -W -f '\${Package}=\${Version}\\n' 2>/dev/null | head -c 4194304 >packages || true
mkfs.erofs --quiet -U 70797261-0000-4000-8000-000000000000 root.erofs root
`

const capabilities = ["CAP_CHOWN", "CAP_FOWNER", "CAP_FSETID", "CAP_DAC_OVERRIDE", "CAP_SETFCAP"]

const tooLong = () =>
  new ToolFailed({ tool: "tar", code: -1, signal: "SIGKILL", stderr: `it took longer than ${unpackTimeout}` })

/** `work` has `in/root.tar` and `in/modules.tar`; gives the image and the lines of its package list. */
export const unpackImage = (work: Temporary) =>
  Effect.gen(function*() {
    for (const tool of ["bwrap", "mkfs.erofs", "tar"]) yield* needTool(tool)
    const out = path.join(work.path, "out")
    yield* makeFolder(out)
    yield* runSupervised(work.alive, [
      "bwrap",
      ...["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"],
      ...["--ro-bind", "/usr", "/usr"],
      ...["bin", "sbin", "lib", "lib64"].flatMap((name) => ["--symlink", `usr/${name}`, `/${name}`]),
      ...["--tmpfs", "/tmp", "--dev", "/dev", "--proc", "/proc"],
      ...["--ro-bind", path.join(work.path, "in"), "/in", "--bind", out, "/out"],
      ...["--clearenv", "--setenv", "PATH", "/usr/sbin:/usr/bin", "--setenv", "LC_ALL", "C.UTF-8"],
      ...["--setenv", "PYRO_MOST_KIB", String(mostMib * 1024)],
      ...["--cap-drop", "ALL", ...capabilities.flatMap((name) => ["--cap-add", name])],
      ...["bash", "-c", script]
    ])
    const list = path.join(out, "packages")
    return {
      image: path.join(out, "root.erofs"),
      packageList: exists(list) ? yield* readText(list) : ""
    }
  }).pipe(Effect.timeoutOrElse({ duration: unpackTimeout, orElse: () => Effect.fail(tooLong()) }))
