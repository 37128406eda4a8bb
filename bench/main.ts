import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { measureAll } from "./attempts.ts"
import type { Bench } from "./bench.ts"
import { openDaemon } from "./daemon.ts"
import { floorsTable, measureFloors } from "./floors-table.ts"
import { cacheFolder, findImages } from "./floors/images.ts"
import { openFloor } from "./floors/open.ts"
import { withLogs } from "./kept-logs.ts"
import { describeMachine, describeVersions, load } from "./machine-report.ts"
import { measure } from "./measure.ts"
import { type Options, parseOptions, usage } from "./options.ts"
import { memoryMib, openProduct } from "./product.ts"
import { hostPace, makeUntilQuiet } from "./quiet.ts"
import { judge } from "./report.ts"
import { enterRoom } from "./room.ts"
import { plans } from "./rows.ts"
import { table } from "./table.ts"

const environment = "debian:12"

const say = (line: string) => process.stderr.write(`${line}\n`)

const reason = (cause: unknown) => cause instanceof Error ? cause.message : String(cause)

/** Measures according to the options, and resolves to an exit status. */
const bench = async (root: string, options: Options): Promise<number> => {
  const room = enterRoom()
  // The benchmarks' VMs belong to the room: their records are removed with it.
  process.env["PYRO_STATE_DIR"] = path.join(room.disk, "state")
  process.env["PYRO_MEMORY_DIR"] = room.memory
  const loadBefore = load()
  const product = openProduct(environment)
  // First, because it makes missing or outdated files of the cache, which the floors also use.
  const accelerator = await product.accelerator()
  say("preparing the floors (5 s)")
  const floorSources = path.join(root, "bench", "floors")
  const floor = await openFloor(room, {
    sources: floorSources,
    images: findImages(cacheFolder(), environment),
    memoryMib
  })
  const pyro = [process.execPath, path.join(root, "dist", "pyro.js")]
  const alone = { ...process.env, PYRO_STATE_DIR: path.join(room.disk, "state-alone") }
  const daemon = openDaemon(pyro)
  const bareDaemon = openDaemon(pyro, {
    PYRO_STATE_DIR: path.join(room.disk, "state-bare"),
    PYRO_POOL_MEMBERS: "0",
    PYRO_REWIND_MIB: "0"
  })
  const tools: Bench = { room, floor, floorSources, product, daemon, bareDaemon, pyro, alone, environment }
  const pace = hostPace(floor)
  const untilQuiet = makeUntilQuiet(pace)
  const report = async (measured: object, text: string) => {
    process.stdout.write(`\n${text}\n`)
    if (options.json === undefined) return
    const document = {
      ...measured,
      machine: {
        ...describeMachine(),
        accelerator: floor.machine.accelerator,
        load_before: loadBefore,
        load_after: load()
      },
      versions: describeVersions(root),
      runs: options.runs,
      measured_at: new Date().toISOString()
    }
    fs.writeFileSync(options.json, `${JSON.stringify(document, undefined, 2)}\n`)
  }
  try {
    if (options.only === "floors") {
      const floors = await measureFloors(plans, tools, options.runs, (name) => say(`measuring the floor of ${name}`))
      await report({ floors }, floorsTable(floors))
      return 0
    }
    if (accelerator !== floor.machine.accelerator) {
      throw new Error(`the floors run on ${floor.machine.accelerator} and pyro on ${accelerator}; ask why: pyro doctor`)
    }
    const { failed, rows } = await measureAll(
      plans.filter(({ name }) => options.only === undefined || options.only === name),
      async (plan) => {
        await pace.look()
        return judge(await withLogs(room.disk, plan.name, os.tmpdir(), measure(plan, tools, options.runs)))
      },
      say,
      async () => {
        say("waiting until the host is quiet")
        if (!(await untilQuiet())) say("it is not; measuring all the same")
      }
    )
    await report({ rows, failed }, table(rows))
    for (const failure of failed) say(`not measured: ${failure}`)
    return failed.length === 0 ? 0 : 1
  } finally {
    await bareDaemon.close()
    await daemon.close()
    await product.close()
    room.leave()
  }
}

const usageStatus = 2

const main = async ([root = ".", ...argv]: ReadonlyArray<string>): Promise<number> => {
  let options: Options
  try {
    options = parseOptions(argv, ["floors", ...plans.map(({ name }) => name)])
  } catch (cause) {
    say(`bench: ${reason(cause)}\n\n${usage}`)
    return usageStatus
  }
  if (options.help) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  return bench(root, options)
}

main(process.argv.slice(2)).then(
  (status) => process.exit(status),
  (cause) => {
    say(`bench: ${reason(cause)}`)
    process.exit(1)
  }
)
