// The same without Effect: node scripts/example.mjs examples/promises.ts
import { layer as LocalPyro } from "../src/local/layer.ts"
import { makePromises } from "../src/sdk/promises.ts"

const pyro = makePromises(LocalPyro)
try {
  const { status, stdout } = await pyro.run({ environment: "debian:12", command: ["uname", "-sr"] })
  process.stdout.write(`status ${status}: ${stdout}`)

  for await (const event of pyro.stream({ environment: "debian:12", command: ["seq", "3"] })) {
    if (event._tag === "Output") process.stdout.write(event.bytes)
  }
} finally {
  await pyro.close()
}
