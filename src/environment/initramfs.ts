import { Effect } from "effect"
import * as fs from "node:fs"
import * as tar from "tar-stream"
import { FileFailed } from "../system/atomic-file.ts"
import { runTool } from "../system/child.ts"
import { cpioArchive, type CpioEntry, fileType } from "./cpio.ts"

/**
 * The initramfs that every VM boots with: the guest agent as `/init`, the modules that it loads and their order, and
 * `/dev/console`, without which the kernel would start it with no stdin, stdout and stderr.
 */
export const buildInitramfs = (
  options: { readonly agent: string; readonly bootModules: string; readonly target: string }
) =>
  Effect.gen(function*() {
    const modules = yield* readTar(options.bootModules)
    const names = modules.map(({ name }) => name.slice(name.lastIndexOf("/") + 1))
    const directory = fileType.directory | 0o755
    const entries: ReadonlyArray<CpioEntry> = [
      { name: "dev", mode: directory },
      { name: "dev/console", mode: fileType.character | 0o600, device: [5, 1] },
      { name: "init", mode: fileType.regular | 0o755, content: yield* readFile(options.agent) },
      { name: "modules", mode: directory },
      { name: "modules/order", mode: fileType.regular | 0o644, content: Buffer.from(names.join("\n") + "\n") },
      ...modules.map(({ content }, index) => ({
        name: `modules/${names[index]}`,
        mode: fileType.regular | 0o644,
        content
      }))
    ]
    // -l: the older frame format, the only one that the kernel unpacks.
    const packed = yield* runTool("lz4", ["-l", "-9", "-c"], { input: cpioArchive(entries) })
    yield* Effect.try({
      try: () => fs.writeFileSync(options.target, packed.stdout, { mode: 0o444 }),
      catch: failed(options.target)
    })
  })

const failed = (path: string) => (cause: unknown) => new FileFailed({ path, detail: (cause as Error).message, cause })

const readFile = (path: string) => Effect.try({ try: () => fs.readFileSync(path), catch: failed(path) })

/** Members of a small archive, in its order. */
const readTar = (path: string) =>
  Effect.tryPromise({
    try: async () => {
      const extract = tar.extract()
      fs.createReadStream(path).on("error", (cause) => extract.destroy(cause)).pipe(extract)
      const members: Array<{ readonly name: string; readonly content: Buffer }> = []
      for await (const entry of extract) {
        const parts: Array<Buffer> = []
        for await (const part of entry) parts.push(part as Buffer)
        members.push({ name: entry.header.name, content: Buffer.concat(parts) })
      }
      return members
    },
    catch: failed(path)
  })
