import { useDeferredValue, useEffect, useState } from "react"
import { count } from "../../../../src/contract/text/count.ts"
import { useStore } from "../live/store.ts"
import { workspaces } from "../live/workspaces.ts"
import { Environments } from "./environments.tsx"
import { filtered } from "./filter.ts"
import { WorkspaceRow } from "./row.tsx"

const columns = ["State", "Environment", "Last command", "CPU", "Memory", "Network", "Ports", "Project", "Age"] as const
const numeric: ReadonlySet<string> = new Set(["CPU", "Memory", "Age"])

/** All workspaces, live. */
export const Home = () => {
  const all = useStore(workspaces)
  const [filter, setFilter] = useState(() => new URLSearchParams(location.search).get("filter") ?? "")
  const wanted = useDeferredValue(filter)
  useEffect(() => {
    document.title = "pyro"
  }, [])
  const shown = all === undefined ? [] : filtered(all.values(), wanted)
  return (
    <main id="main" tabIndex={-1}>
      <div className="heading">
        <h1>Workspaces</h1>
        <label className="filter">
          <span className="unseen">Filter by name, state, environment, project or label</span>
          <input
            type="search"
            value={filter}
            placeholder="Filter: name, state, KEY=VALUE …"
            onChange={({ target }) => {
              setFilter(target.value)
              history.replaceState(null, "", target.value === "" ? "/" : `/?filter=${encodeURIComponent(target.value)}`)
            }}
          />
        </label>
        <p role="status" className="faint">
          {all === undefined
            ? "Loading…"
            : wanted === ""
            ? count(all.size, "workspace")
            : `${shown.length} of ${count(all.size, "workspace")}`}
        </p>
      </div>
      {all?.size === 0
        ? (
          <p className="empty">
            No workspaces. Create one in a project: <code>pyro create --seed-path . --name fix</code>
          </p>
        )
        : (
          <table className="list workspaces">
            <caption className="unseen">Workspaces, the newest first</caption>
            <thead>
              <tr>
                <th scope="col">Workspace</th>
                {columns.map((name) => (
                  <th key={name} scope="col" className={numeric.has(name) ? "number" : undefined}>{name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map((one) => <WorkspaceRow key={one.workspace.id} of={one} />)}
            </tbody>
          </table>
        )}
      <Environments />
    </main>
  )
}
