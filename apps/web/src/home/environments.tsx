import { useLoaded } from "../live/loaded.ts"
import { nameText } from "../parts/blanks.ts"
import { bytesText } from "../parts/format.ts"
import { Problem } from "../parts/problem.tsx"
import { Text } from "../parts/text.tsx"
import { ask } from "../wire/calls.ts"

const read = async () => {
  const [{ environments }, { disk }] = await Promise.all([ask("env.list", {}), ask("daemon.status", {})])
  return { environments, disk }
}

/** Environments on this host, and what uses the disk. */
export const Environments = () => {
  const { failure, reload, value } = useLoaded("environments", read)
  return (
    <section aria-labelledby="environments">
      <h2 id="environments">Environments and disk</h2>
      {failure === undefined ? null : <Problem of={failure} retry={reload} />}
      {value === undefined ?
        failure === undefined ? <p className="faint">Loading…</p> : null :
        (
          <div className="columns">
            <table className="list narrow">
              <caption className="unseen">Environments</caption>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">On this host</th>
                  <th scope="col" className="number">Size</th>
                </tr>
              </thead>
              <tbody>
                {value.environments.map(({ description, name, sizeBytes, state }) => (
                  <tr key={name}>
                    <th scope="row" title={nameText(description)}>
                      <Text of={name} />
                    </th>
                    <td data-name="On this host">
                      {state === "ready" ? "ready" : state === "absent" ? "built when first used" : "outdated"}
                    </td>
                    <td data-name="Size" className="number">{sizeBytes === undefined ? "–" : bytesText(sizeBytes)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
            <table className="list narrow">
              <caption>
                {`${bytesText(value.disk.usedBytes)} used, ${bytesText(value.disk.freeBytes)} free`}
              </caption>
              <thead>
                <tr>
                  <th scope="col">Used by</th>
                  <th scope="col" className="number">Bytes</th>
                </tr>
              </thead>
              <tbody>
                {value.disk.uses.map(({ bytes, what }) => (
                  <tr key={what}>
                    <th scope="row">{what}</th>
                    <td data-name="Bytes" className="number">{bytesText(bytes)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
    </section>
  )
}
