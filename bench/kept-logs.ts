import * as fs from "node:fs"
import * as path from "node:path"

/** The daemons' logs beneath a room. They are removed with the run. */
const logsIn = (disk: string) =>
  fs.readdirSync(disk, { recursive: true, encoding: "utf8" }).filter((file) =>
    /(^|\/)daemon\/[^/]*log[^/]*$/.test(file)
  )

/** Copies the daemons' logs of a failed row out of the room, to a folder beneath `place`. Gives the folder if there was a log. */
export const keepLogs = (disk: string, row: string, place: string): string | undefined => {
  const logs = logsIn(disk).filter((file) => fs.statSync(path.join(disk, file)).isFile())
  if (logs.length === 0) return undefined
  const folder = fs.mkdtempSync(path.join(place, `pyro-bench-log-${row.replaceAll(/[^\w-]/g, "_")}-`))
  for (const file of logs) fs.copyFileSync(path.join(disk, file), path.join(folder, file.replaceAll("/", "_")))
  return folder
}

/** The failure of a row, with the folder of the daemons' logs. */
export const withLogs = async <A>(disk: string, row: string, place: string, measured: Promise<A>): Promise<A> => {
  try {
    return await measured
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    const kept = keepLogs(disk, row, place)
    throw kept === undefined ? cause : new Error(`${text} (the daemon's log: ${kept})`, { cause })
  }
}
