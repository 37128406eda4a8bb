import "./styles/base.css"
import "./styles/workspace.css"
import "./styles/review.css"
import "./styles/try.css"
import { createRoot } from "react-dom/client"
import { App } from "./app.tsx"
import { sweepComments } from "./comments/kept.ts"
import { keepWorkspaces } from "./live/workspaces.ts"
import { Boundary } from "./parts/problem.tsx"
import { keepConnected } from "./wire/link.ts"

void keepConnected()
sweepComments()
keepWorkspaces()
createRoot(document.getElementById("root")!).render(
  <Boundary>
    <App />
  </Boundary>
)
