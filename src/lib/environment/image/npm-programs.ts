import * as fs from "node:fs"
import * as path from "node:path"

/** Names that are safe as names of commands. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Bytes of a script that are read for its first line. */
const MOST_FIRST_LINE = 128

const hasBin = (packageFile: string): boolean => {
  const { bin, directories } = JSON.parse(fs.readFileSync(packageFile, "utf8")) as {
    readonly bin?: unknown
    readonly directories?: { readonly bin?: unknown }
  }
  return bin !== undefined || directories?.bin !== undefined
}

/** The executable files of a package's own folder. A link does not count, because it may lead anywhere. */
const programsOf = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { withFileTypes: true })
    .filter((one) =>
      one.isFile() && NAME.test(one.name) && (fs.statSync(path.join(folder, one.name)).mode & 0o111) !== 0
    )
    .map(({ name }) => name)

/** Commands beneath `prefix` that Node runs: scripts whose first line names it. */
export const scriptsOfNode = (prefix: string): ReadonlyArray<string> => {
  const folder = path.join(prefix, "bin")
  if (!fs.existsSync(folder)) return []
  return fs.readdirSync(folder).filter((name) => {
    try {
      // A package's own link may lead anywhere. Its file is read as bytes, and no more of it.
      const file = fs.realpathSync(path.join(folder, name))
      if (!file.startsWith(`${fs.realpathSync(prefix)}/`) || !fs.statSync(file).isFile()) return false
      const descriptor = fs.openSync(file, "r")
      try {
        const bytes = Buffer.alloc(MOST_FIRST_LINE)
        const length = fs.readSync(descriptor, bytes, 0, bytes.length, 0)
        return /^#!\S*(\/env\s(-\S+\s)?|\/)node(\s|$)/.test(bytes.subarray(0, length).toString("latin1"))
      } finally {
        fs.closeSync(descriptor)
      }
    } catch {
      return false
    }
  })
}

/**
 * Links the program of each package that has one executable file beside its package.json and names no command, beneath `prefix`. npm
 * publishes a program of one platform in such a package, and the package that names the command would link the program in its install script,
 * which does not run here. A command that npm linked stays.
 */
export const linkPrograms = (prefix: string, packages: ReadonlyArray<string>): void => {
  const modules = path.join(prefix, "lib", "node_modules")
  const commands = path.join(prefix, "bin")
  for (const name of packages) {
    const folder = path.join(modules, name)
    try {
      if (!fs.lstatSync(folder).isDirectory() || hasBin(path.join(folder, "package.json"))) continue
    } catch {
      // An alias or a folder of another name: npm has linked what the package names.
      continue
    }
    const [program, ...others] = programsOf(folder)
    if (program === undefined || others.length > 0) continue
    fs.mkdirSync(commands, { recursive: true })
    try {
      fs.symlinkSync(path.join("..", "lib", "node_modules", name, program), path.join(commands, program))
    } catch (failure) {
      if ((failure as NodeJS.ErrnoException).code !== "EEXIST") throw failure
    }
  }
}
