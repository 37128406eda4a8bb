/** One stop of the tour: a sentence or two, and what a person would type. */
export interface Stop {
  readonly say: string
  readonly type: ReadonlyArray<string>
}

const PROGRAM = `printf 'def add(a, b):\\n    return a - b\\n' > add.py
printf 'from add import add\\nassert add(2, 2) == 4, add(2, 2)\\nprint("passed")\\n' > test.py
python3 -B test.py`

/** The stops, in a workspace and a fork of these names. */
export const tour = (name: string, fork: string): ReadonlyArray<Stop> => [
  {
    say:
      "A workspace is a Linux machine with a kernel of its own. This one is empty; --seed-path . would copy a directory to it.",
    type: ["create", "--name", name]
  },
  {
    say: "A program with a mistake, and its test.",
    type: ["exec", name, "--script", PROGRAM]
  },
  {
    say: "An edit names the text that it replaces. Agents have this as a tool.",
    type: ["file", "edit", name, "add.py", "--old-text", "a - b", "--new-text", "a + b"]
  },
  { say: "The test again.", type: ["exec", name, "python3", "-B", "test.py"] },
  { say: "A snapshot keeps the disk and the memory.", type: ["snapshot", "create", name, "green"] },
  {
    say: "Then something goes wrong, as root, without a question.",
    type: ["exec", name, "rm", "-rf", "/usr", "/home", "/workspace/add.py"]
  },
  { say: "Nothing works any more. Your host has noticed nothing.", type: ["exec", name, "ls"] },
  { say: "Do not repair it. Go back.", type: ["reset", name, "--snapshot", "green"] },
  { say: "As if nothing had happened.", type: ["exec", name, "python3", "-B", "test.py"] },
  {
    say: "The guest has no network, until you grant hosts with --allow-host.",
    type: ["exec", name, "curl", "--silent", "--show-error", "https://example.org"]
  },
  {
    say: "A fork is a copy of the running machine, to try something else.",
    type: ["fork", name, "--name", fork]
  },
  {
    say: "The copy goes its own way.",
    type: ["exec", fork, "--script", "echo 'def double(a): return add(a, a)' >> add.py"]
  },
  { say: "What makes one out of the other, as a patch.", type: ["compare", name, fork] },
  {
    say: "A server in the guest, ready when it answers, on a port of this host.",
    type: [
      ...["service", "start", name, "web", "--ready-tcp", "8000", "--publish", "8000"],
      ...["python3", "-m", "http.server", "8000"]
    ]
  },
  { say: "All that changed. Only an export that you ask for writes to your files.", type: ["diff", name] },
  { say: "Nothing of it stays.", type: ["delete", name, fork] }
]

/** Shown at the end. */
export const afterwards = `Your own:
  pyro create --seed-path . --name fix   a copy of this directory
  pyro host connect claude-code          workspaces as tools of your agent; pyro host --help names the others
  pyro agent claude-code                 the agent itself in a workspace
`
