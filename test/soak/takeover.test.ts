import { cutSessions } from "../agent/cut-sessions.ts"

// test/agent/takeover.test.ts cuts at fewer bytes, in `npm test`.
cutSessions("taking over a session that is cut anywhere", { host: 1, agent: 13, again: 1 })
