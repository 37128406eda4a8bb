/** Modules of a kernel, by file name relative to its module folder, each with what must be loaded before it. */
export interface ModuleIndex {
  /** Path of each loadable module by name. */
  readonly paths: ReadonlyMap<string, string>
  /** All dependencies of a module's path, in the order of `modules.dep`: the one to load first stands last. */
  readonly dependencies: ReadonlyMap<string, ReadonlyArray<string>>
  readonly builtin: ReadonlySet<string>
}

/** A module's name as the kernel has it: without folder and suffix, dashes as underscores. */
const moduleName = (path: string) => path.slice(path.lastIndexOf("/") + 1).replace(/\.ko$/, "").replaceAll("-", "_")

/** Reads what depmod wrote (`modules.dep`) and what the kernel's build wrote (`modules.builtin`). */
export const readModuleIndex = (files: { readonly dep: string; readonly builtin: string }): ModuleIndex => {
  const paths = new Map<string, string>()
  const dependencies = new Map<string, ReadonlyArray<string>>()
  for (const line of files.dep.split("\n")) {
    const colon = line.indexOf(":")
    if (colon < 0) continue
    const path = line.slice(0, colon)
    paths.set(moduleName(path), path)
    dependencies.set(path, line.slice(colon + 1).split(" ").filter((word) => word !== ""))
  }
  const builtin = files.builtin.split("\n").filter((line) => line !== "").map(moduleName)
  return { paths, dependencies, builtin: new Set(builtin) }
}

/**
 * Puts the wanted modules and all that they need into an order in which each can be loaded. Built-in ones are left out.
 * The second list names what the kernel has in no form.
 */
export const loadOrder = (
  index: ModuleIndex,
  wanted: ReadonlyArray<string>
): { readonly order: ReadonlyArray<string>; readonly missing: ReadonlyArray<string> } => {
  const order = new Set<string>()
  const missing: Array<string> = []
  for (const name of wanted) {
    const path = index.paths.get(name)
    if (path === undefined) {
      if (!index.builtin.has(name)) missing.push(name)
      continue
    }
    for (const dependency of [...(index.dependencies.get(path) ?? [])].reverse()) order.add(dependency)
    order.add(path)
  }
  return { order: [...order], missing }
}
