/** Modules of a kernel, by file name relative to the module folder, each with its dependencies. */
export interface ModuleIndex {
  /** Path of each loadable module by name. */
  readonly paths: ReadonlyMap<string, string>
  /** All dependencies of a module's path, in the order of `modules.dep`: the first to load stands last. */
  readonly dependencies: ReadonlyMap<string, ReadonlyArray<string>>
  readonly builtin: ReadonlySet<string>
}

/** A module's name in the kernel: without folder and suffix, dashes as underscores. */
const moduleName = (path: string) => path.slice(path.lastIndexOf("/") + 1).replace(/\.ko$/, "").replaceAll("-", "_")

/** Reads `modules.dep` of depmod and `modules.builtin` of the kernel's build. */
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
 * Puts the wanted modules and their dependencies into load order, without built-in modules. The second list names modules that the
 * kernel lacks.
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
