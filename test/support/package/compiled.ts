import * as path from "node:path"
import * as ts from "typescript"

const root = path.resolve(import.meta.dirname, "../../..")

/** What the compiler says against programs that exist in memory only, by the names of their files. */
export const complaintsOf = (texts: ReadonlyMap<string, string>): ReadonlyArray<string> => {
  const programs = new Map([...texts].map(([name, text]) => [path.join(root, name), text]))
  const { config } = ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const read = host.readFile
  const exists = host.fileExists
  host.readFile = (file) => programs.get(file) ?? read(file)
  host.fileExists = (file) => programs.has(file) || exists(file)
  const open = host.getSourceFile
  host.getSourceFile = (file, language, ...rest) =>
    programs.has(file)
      ? ts.createSourceFile(file, programs.get(file)!, language)
      : open(file, language, ...rest)
  const program = ts.createProgram([...programs.keys()], { ...options, noUnusedLocals: false }, host)
  return [...programs.keys()].flatMap((file) => {
    const source = program.getSourceFile(file)!
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
      .map(({ messageText }) => `${path.basename(file)}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`)
  })
}
