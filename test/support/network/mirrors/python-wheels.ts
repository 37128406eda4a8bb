import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { promisify } from "node:util"
import { cached, downloadByApt } from "./downloads.ts"

// Debian's packages have the files of wheels, installed. So a wheel of each project can be made where PyPI is out of reach.

const run = promisify(execFile)
const POOL = "http://deb.debian.org/debian/pool/main"
/** Names of distributions on PyPI may differ from Debian's package; the wheel's name comes from its metadata. */
const PACKAGES = {
  attrs: [
    "p/python-attrs/python3-attr_22.2.0-1_all.deb",
    "6a12ea96a8a909445a982975279f96d7b9a1ff96c912efff39abc8d92372694a"
  ],
  flake8: [
    "p/python-flake8/python3-flake8_5.0.4-4_all.deb",
    "0e5fe12698b6b562cc92667951d55c03cbd1a72203cd4d1d386ff11e418492e6"
  ],
  iniconfig: [
    "p/python-iniconfig/python3-iniconfig_1.1.1-2_all.deb",
    "c9226a32a78fa93f9e993a4ed77fcb3ceb23c21b9d75d7ea4dc77cb016ed0d83"
  ],
  mccabe: [
    "p/python-mccabe/python3-mccabe_0.7.0-1_all.deb",
    "1c7df864b395342869153ccea3d945e8a1abb8631472f2222b5bb04e6186aec8"
  ],
  packaging: [
    "p/python-packaging/python3-packaging_23.0-1_all.deb",
    "04adb9e09aa8ed5bd8e31d31143fb265c43dcbec70da19f21e37cbe44b0c32cf"
  ],
  pip: [
    "p/python-pip/python3-pip-whl_23.0.1+dfsg-1_all.deb",
    "cc373690a1cb469fb301b9fe0125048e3102f2e365d1b2d27cab091ec89fccdc"
  ],
  pluggy: [
    "p/python-pluggy/python3-pluggy_1.0.0+repack-1_all.deb",
    "7bda88243752fef7fd14f256ae91bf39bdcda68f83dc726db1d6d9b8b3957899"
  ],
  pycodestyle: [
    "p/pycodestyle/python3-pycodestyle_2.10.0-1_all.deb",
    "d1c6a373f5ec76d8ad4a0e6f46276f84a758dce1fcf613d5d10069f80d271377"
  ],
  pyflakes: [
    "p/pyflakes/python3-pyflakes_2.5.0-1_all.deb",
    "a8220b5e6238150ce03862721036e5ba1c7e869ea32af70b0d4ee4caa04357fa"
  ],
  pytest: [
    "p/pytest/python3-pytest_7.2.1-2_all.deb",
    "bc5df67eb9ea18beddd95eaaa1ffc7bfffc1716d3071e6f405bd22f6a0411416"
  ],
  setuptools: [
    "s/setuptools/python3-setuptools-whl_66.1.1-1+deb12u2_all.deb",
    "0eb54da9f3d47e42a1be5dd8285def8bbc6e2556131b9c4ce3bd781dfc4b425a"
  ],
  wheel: [
    "w/wheel/python3-wheel-whl_0.38.4-2_all.deb",
    "692464277d0f6b20e02f7f7dd9d763ca1583f7c5c9cdaa532ad3e8174a4f61f6"
  ]
} as const

const filesBeneath = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    fs.statSync(path.join(folder, name)).isFile()
  ).sort()

/** `[extra:marker]` of an egg's requires.txt as metadata of a wheel (the format of setuptools, and core metadata 2.1). */
const requirementsOf = (text: string) => {
  const condition = (section: string) => {
    const [extra = "", marker = ""] = section.split(":", 2)
    return [marker && `(${marker})`, extra && `extra == "${extra}"`].filter((one) => one !== "").join(" and ")
  }
  let suffix = ""
  return text.split("\n").flatMap((line) => {
    const [, section] = /^\[(.*)\]$/.exec(line) ?? []
    if (section !== undefined) suffix = ` ; ${condition(section)}`
    return section !== undefined || line.trim() === "" ? [] : [`Requires-Dist: ${line}${suffix}`]
  })
}

/** Turns the metadata of an installed egg into a wheel's. */
const eggToDist = (site: string, egg: string) => {
  const dist = path.join(site, egg.replace(/\.egg-info$/, ".dist-info"))
  fs.renameSync(path.join(site, egg), dist)
  const [head = "", ...body] = fs.readFileSync(path.join(dist, "PKG-INFO"), "utf8").split("\n\n")
  const requires = path.join(dist, "requires.txt")
  const added = fs.existsSync(requires) ? requirementsOf(fs.readFileSync(requires, "utf8")) : []
  fs.writeFileSync(
    path.join(dist, "METADATA"),
    [[...head.split("\n").filter((line) => !/^Requires-Dist:/.test(line)), ...added].join("\n"), ...body].join("\n\n")
  )
  for (const name of ["PKG-INFO", "requires.txt"]) fs.rmSync(path.join(dist, name), { force: true })
}

const digestOf = (file: string) => createHash("sha256").update(fs.readFileSync(file)).digest("base64url")

/** Packs a folder of installed files as a wheel (PEP 427). Returns the name of the wheel. */
const pack = async (site: string, file: string) => {
  for (const name of fs.readdirSync(site)) {
    if (name.endsWith(".egg-info")) eggToDist(site, name)
    if (name === "__pycache__") fs.rmSync(path.join(site, name), { recursive: true })
  }
  const dist = fs.readdirSync(site).find((name) => name.endsWith(".dist-info"))!
  fs.writeFileSync(
    path.join(site, dist, "WHEEL"),
    "Wheel-Version: 1.0\nGenerator: debian\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
  )
  const record = path.join(dist, "RECORD")
  fs.rmSync(path.join(site, record), { force: true })
  const rows = filesBeneath(site).map((name) =>
    `${name},sha256=${digestOf(path.join(site, name))},${fs.statSync(path.join(site, name)).size}`
  )
  fs.writeFileSync(path.join(site, record), [...rows, `${record},,`, ""].join("\n"))
  await run("zip", ["-qrX", file, "."], { cwd: site })
  return `${dist.slice(0, -".dist-info".length)}-py3-none-any.whl`
}

/** A wheel of a project, made of Debian's package. */
const wheelOf = async ([deb, sha256]: readonly [string, string]): Promise<string> => {
  const folder = await cached(`wheels/${sha256.slice(0, 16)}`, async (made) => {
    const debFile = await cached(`debs/${path.basename(deb)}`, (file) => downloadByApt(`${POOL}/${deb}`, file, sha256))
    const tree = `${made}.tree`
    await run("dpkg-deb", ["--extract", debFile, tree])
    fs.mkdirSync(made)
    const ready = path.join(tree, "usr/share/python-wheels")
    if (fs.existsSync(ready)) {
      for (const name of fs.readdirSync(ready)) fs.copyFileSync(path.join(ready, name), path.join(made, name))
    } else {
      const file = path.join(made, "wheel.zip")
      const name = await pack(path.join(tree, "usr/lib/python3/dist-packages"), file)
      fs.renameSync(file, path.join(made, name))
    }
  })
  return path.join(folder, fs.readdirSync(folder)[0]!)
}

export type PythonProject = keyof typeof PACKAGES

/** Wheels of projects: the pinned version of each. */
export const pythonWheels = (projects: ReadonlyArray<PythonProject>): Promise<ReadonlyArray<string>> =>
  Promise.all(projects.map((name) => wheelOf(PACKAGES[name])))
