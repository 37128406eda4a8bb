import type { FileEntry } from "../../../../src/contract/rows/workspace-file.ts"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { useLoaded } from "../live/loaded.ts"
import { nameText } from "../parts/blanks.ts"
import { bytesText } from "../parts/format.ts"
import { Problem } from "../parts/problem.tsx"
import { goWithin, pathOf, usePlace } from "../parts/route.tsx"
import { Text } from "../parts/text.tsx"
import { ask } from "../wire/calls.ts"
import { FileView } from "./file-view.tsx"

const ROOT = "/workspace"

/** The directory above. Paths are in git's form, and a quoted one has its quotes around the whole. */
const above = (path: string) => {
  const slash = path.lastIndexOf("/")
  return slash <= 0 ? "/" : path.slice(0, slash) + (path.startsWith("\"") ? "\"" : "")
}

const nameOf = ({ path }: FileEntry) => {
  const slash = path.lastIndexOf("/")
  return slash < 0 ? path : (path.startsWith("\"") ? "\"" : "") + path.slice(slash + 1)
}

/** Directories first, then by name. */
const ordered = (entries: ReadonlyArray<FileEntry>) =>
  entries.toSorted((one, other) =>
    Number(other.type === "directory") - Number(one.type === "directory") || (one.path < other.path ? -1 : 1)
  )

/** The open directory and file, which are a part of the address: a reload shows them again. */
const useOpened = (workspace: string) => {
  const { searchParams } = usePlace()
  const directory = searchParams.get("directory") ?? ROOT
  const show = (next: string, file?: string) => {
    const query = new URLSearchParams({
      ...(next === ROOT ? {} : { directory: next }),
      ...(file === undefined ? {} : { file })
    }).toString()
    goWithin(`${pathOf(workspace, "files")}${query === "" ? "" : `?${query}`}`)
  }
  return { directory, file: searchParams.get("file") ?? undefined, show }
}

/** Files of a workspace: directories, one file as text or image, and downloads. */
export const Files = ({ of }: { readonly of: WorkspaceInfo }) => {
  const { directory, file, show } = useOpened(of.id)
  const { failure, isLoading, reload, value } = useLoaded(
    `${of.id} ${directory}`,
    () => ask("workspace.file.list", { workspace: of.id, path: directory, limit: 2_000 })
  )
  const open = ({ path, type }: FileEntry) => type === "directory" ? show(path) : show(directory, path)
  return (
    <section aria-labelledby="files">
      <div className="heading">
        <h2 id="files">Files</h2>
        <code>
          <Text of={directory} />
        </code>
        <div className="buttons">
          <button
            type="button"
            disabled={directory === "/"}
            onClick={() => show(directory.includes("/") ? above(directory) : ROOT)}
          >
            Up
          </button>
          <button type="button" disabled={isLoading} onClick={reload}>Look again</button>
        </div>
      </div>
      {failure === undefined ? null : <Problem of={failure} retry={reload} />}
      <div className="review">
        <nav aria-label={`Files of ${nameText(directory)}`} className="files">
          {value === undefined && failure === undefined ? <p className="faint">Loading…</p> : null}
          {value?.entries.length === 0 ? <p className="faint">The directory is empty.</p> : null}
          <ul className="tree">
            {ordered(value?.entries ?? []).map((entry) => (
              <li key={entry.path}>
                <button
                  type="button"
                  className="quiet"
                  disabled={entry.type !== "directory" && entry.type !== "file"}
                  aria-pressed={file === entry.path}
                  onClick={() => open(entry)}
                >
                  <Text of={`${nameOf(entry)}${entry.type === "directory" ? "/" : ""}`} />
                  {entry.target === undefined ? null : (
                    <span className="faint">
                      {" → "}
                      <Text of={entry.target} />
                    </span>
                  )}
                </button>
                {entry.type === "file" ? <span className="faint">{bytesText(entry.sizeBytes)}</span> : null}
              </li>
            ))}
          </ul>
          {value?.truncated === true ? <p className="faint">There are more entries than the page lists.</p> : null}
        </nav>
        <div className="changes">
          {file === undefined ? null : <FileView key={file} workspace={of.id} path={file} />}
        </div>
      </div>
    </section>
  )
}
