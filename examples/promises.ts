// The same without Effect: node scripts/example.mjs examples/promises.ts
import { makePromises } from "pyro"
import { layer as LocalPyro } from "pyro/local"

const pyro = makePromises(LocalPyro)
try {
  const { status, stdout } = await pyro.run({ environment: "debian:12", command: ["uname", "-sr"] })
  process.stdout.write(`status ${status}: ${stdout}`)

  for await (const event of pyro.run.stream({ environment: "debian:12", command: ["seq", "3"] })) {
    if (event._tag === "Output") process.stdout.write(event.bytes)
  }
} catch (error) {
  // Every failure of pyro's has a message for people.
  console.error((error as Error).message)
  process.exitCode = 1
} finally {
  await pyro.close()
}
