import { Effect, type Scope } from "effect"
import * as fs from "node:fs"
import { memoryStore, NoSpace, type VmFailed } from "../../../contract/errors/errors.ts"
import { openFile, setSize } from "../../../system/files/content.ts"
import { removeFile, setOwner, statEntry } from "../../../system/files/entries.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"
import { runTool } from "../../../system/processes/child.ts"
import { withChildren } from "../../../system/processes/identity.ts"
import { nativeTool } from "../../../system/processes/native.ts"
import { vmFailed } from "../model/failure.ts"
import type { VmPaths, VmRecord } from "../model/record.ts"

const mib = 1024 * 1024

const COPY = "pyro-copy"

/** Descriptor at which a VMM finds the memory that it shares. */
export const sharedMemoryAt = 5

/** Name of a memory that VMs share (`pyro-copy --seal`) among the mappings of a process. */
export const SHARED_MEMORY = "/memfd:pyro-memory (deleted)"

/** The memory that a VM of this process shares, and the bytes that it has now. Undefined if there is none, or once the process has ended. */
export const sharedMemoryOf = (pid: number): { readonly ino: number; readonly bytes: number } | undefined => {
  for (const one of withChildren(pid)) {
    try {
      const link = `/proc/${one}/fd/${sharedMemoryAt}`
      if (fs.readlinkSync(link) !== SHARED_MEMORY) continue
      const { blocks, ino } = fs.statSync(link)
      return { ino, bytes: blocks * 512 }
    } catch { /* it has no such descriptor */ }
  }
  return undefined
}

/**
 * The descriptor by which a VMM has the memory file of its VM open, once the file has no name. systemd-logind removes all that a user has in
 * /dev/shm at the last logout, while the processes of the user go on (RemoveIPC=).
 */
const namelessMemory = ({ memoryMib, process: vmm, uid }: VmRecord): string | undefined => {
  for (const pid of vmm === undefined ? [] : withChildren(vmm.pid)) {
    try {
      const folder = `/proc/${pid}/fd`
      const found = fs.readdirSync(folder).find((name) => isNameless(fs.statSync(`${folder}/${name}`), memoryMib, uid))
      if (found !== undefined) return `${folder}/${found}`
    } catch { /* it ended meanwhile */ }
  }
  return undefined
}

const isNameless = (stat: fs.Stats, memoryMib: number, uid: number) =>
  stat.isFile() && stat.nlink === 0 && stat.size === memoryMib * mib && stat.uid === uid

/** Bytes of its memory file that a running VM has touched. */
export const touchedMemory = (paths: Pick<VmPaths, "memory">, record: VmRecord): number =>
  bytesOnDisk(fs.existsSync(paths.memory) ? paths.memory : namelessMemory(record) ?? paths.memory)

/** A path of the memory file of a running VM, also of one that has lost its name. The Scope closes the path. */
export const memoryOfRunning = (paths: VmPaths, record: VmRecord): Effect.Effect<string, VmFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const nameless = (yield* statEntry(paths.memory)) === undefined ? namelessMemory(record) : undefined
    if (nameless === undefined) return paths.memory
    const fd = yield* openFile(nameless, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
    // Its VMM, which a guest may control, may have another file there by now.
    if (!isNameless(fs.fstatSync(fd), record.memoryMib, record.uid)) return paths.memory
    return `/proc/${process.pid}/fd/${fd}`
  }).pipe(Effect.mapError(({ detail }) => vmFailed("memory", detail)))

/** Exit status of pyro-copy when the destination's file system is full. */
const copyNoSpace = 3

/** Copies a frozen memory into a VM's own memory file, for a VM that starts later. */
export const fillMemory = (paths: VmPaths, record: VmRecord, from: string) =>
  copySparse(from, paths.memory, record.uid).pipe(
    Effect.onError(() => Effect.ignoreCause(removeFile(paths.memory)))
  )

export const removeMemory = (paths: VmPaths) => Effect.ignoreCause(removeTree(paths.memory))

/**
 * Removes the name of the memory of a VM whose process is being killed. The process is the last user of the memory, so its end frees the
 * pages. This process would need as long for that as for the rest of a deletion.
 */
export const leaveMemory = (paths: VmPaths) => Effect.ignoreCause(removeFile(paths.memory))

/** Makes a file of `uid` alone that is one hole. */
export const emptyFile = (file: string, uid: number, bytes: number): Effect.Effect<void, VmFailed> =>
  Effect.scoped(Effect.gen(function*() {
    const fd = yield* openFile(file, "wx")
    yield* setSize(fd, file, bytes)
    if (uid !== process.getuid?.()) yield* setOwner(file, uid)
  })).pipe(Effect.mapError(({ detail }) => vmFailed("memory", detail)))

/** Makes a VM's own memory file for a boot: a hole as large as its memory. */
export const emptyMemory = (paths: VmPaths, record: VmRecord) =>
  emptyFile(paths.memory, record.uid, record.memoryMib * mib)

/**
 * Grows a memory file without content to the size of the memory. Gives whether it had none: the memory is then in the state, because its VM shared it
 * (`captureVm`).
 */
export const growEmpty = (paths: VmPaths, record: VmRecord): Effect.Effect<boolean, VmFailed> =>
  Effect.scoped(Effect.gen(function*() {
    if ((yield* statEntry(paths.memory))?.size !== 0) return false
    yield* setSize(yield* openFile(paths.memory, "r+"), paths.memory, record.memoryMib * mib)
    return true
  })).pipe(Effect.mapError(({ detail }) => vmFailed("memory", detail)))

/** A copy of a memory file that `pyro-copy` makes before it starts a program. */
interface MemoryCopy {
  readonly from: string
  readonly to: string
  readonly uid: number
}

const copyArguments = ({ from, to, uid }: MemoryCopy) => ["--owner", `${uid}:${uid}`, from, to]

/** What the program writes to the descriptor of `copyThen` when the copy is made. */
export const COPIED = "copied\n"

/**
 * A command that makes the copy, writes `COPIED` to `descriptor`, and becomes `command`: one process for both. A VM's memory is never
 * shared: a template that is mapped by a QEMU could be written by it.
 */
export const copyThen = (copy: MemoryCopy, descriptor: number, command: readonly [string, ...ReadonlyArray<string>]) =>
  Effect.map(
    nativeTool(COPY),
    (tool) => [tool, ...copyArguments(copy), String(descriptor), ...command] as const
  )

/** Why a copy was not made, from the end of the program that made it. */
export const copyFailed = ({ from, to }: Pick<MemoryCopy, "from" | "to">, code: number | null, detail: string) =>
  code === copyNoSpace
    ? new NoSpace({
      where: memoryStore,
      path: to,
      neededMib: Math.ceil(bytesOnDisk(from) / mib),
      availableMib: 0
    })
    : vmFailed("memory", detail)

/** Runs `pyro-copy`, which writes `to` with as much as `from` has. Gives what it prints. */
const runCopy = (names: Pick<MemoryCopy, "from" | "to">, args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const { stdout } = yield* runTool(yield* nativeTool(COPY), args).pipe(
      Effect.mapError((failure) =>
        failure._tag !== "ToolFailed" ? failure : copyFailed(names, failure.code, failure.message)
      )
    )
    return stdout.toString()
  })

/**
 * Copies a file as what differs from `base`, in the form of `changes` of `copySparse`, or whole where the file system shares extents. Says which. The
 * copy is read-only.
 */
export const copySince = (base: string, from: string, to: string) =>
  Effect.map(
    runCopy({ from, to }, ["--since", base, "--mode", "0444", from, to]),
    (printed) => printed === "whole\n" ? "whole" as const : "changes" as const
  )

/**
 * Copies a file without its holes and zero pages, for `uid` alone to read and write. The data of `changes`, sparse files, replaces that of
 * the file, one after the other: at most 64.
 */
export const copySparse = (
  from: string,
  to: string,
  uid: number,
  { changes = [] }: { readonly changes?: ReadonlyArray<string> } = {}
) => {
  const over = changes.flatMap((file) => ["--over", file])
  return Effect.asVoid(runCopy({ from, to }, [...over, ...copyArguments({ from, to, uid })]))
}

/** Lays the same changes over a file in place. No process has it mapped. After a failure it has some of them. */
export const layOver = (file: string, changes: ReadonlyArray<string>) =>
  Effect.asVoid(runCopy({ from: changes.at(-1) ?? file, to: file }, ["--lay", file, ...changes]))
