import { readFileSync } from "node:fs"
import { join } from "node:path"
import { parse } from "yaml"

const SKILL = "skills/pyro/SKILL.md"

const json = (value) => `${JSON.stringify(value, undefined, 2)}\n`

/**
 * The files of one folder that is a plugin of Claude Code, a marketplace with this plugin, and an extension of Gemini CLI. The skill is the
 * one of the documents, so that no second text of it exists.
 */
export const agentPlugin = (root) => {
  const { description, license, name, version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  const skill = readFileSync(join(root, "docs", SKILL), "utf8")
  const { description: use } = parse(/^---\n([^]*?)\n---\n/.exec(skill)[1])
  const server = { command: name, args: ["mcp", "serve"] }
  const about = { name, version, description }
  const author = { name }
  return [
    [".claude-plugin/plugin.json", json({ ...about, author, license })],
    [
      ".claude-plugin/marketplace.json",
      json({ name, owner: author, description, plugins: [{ ...about, source: "./" }] })
    ],
    [".mcp.json", json({ mcpServers: { [name]: { type: "stdio", ...server } } })],
    [
      "gemini-extension.json",
      // The limit of a call is that of `pyro host connect gemini`.
      json({ ...about, contextFileName: "GEMINI.md", mcpServers: { [name]: { ...server, timeout: 600_000 } } })
    ],
    // Gemini CLI puts this text into every conversation, so it only says when the skill helps.
    ["GEMINI.md", `# ${name}\n\n${use}\n\nActivate the skill \`${name}\` before you use the tools of ${name}.\n`],
    ["README.md", readme],
    [SKILL, skill]
  ]
}

const readme = `# pyro for Claude Code and Gemini CLI

This folder is a plugin of Claude Code and an extension of Gemini CLI. It has the MCP server of pyro, which gives the agent disposable Linux
microVMs, and a skill that says when and how to use them. Both hosts start the program \`pyro\`, which must be on your PATH.

    claude plugin marketplace add FOLDER
    claude plugin install pyro@pyro

    gemini extensions install FOLDER

FOLDER is this folder. Use \`pyro host connect\` instead if you want other options of the server or other approvals, and not both.
`
