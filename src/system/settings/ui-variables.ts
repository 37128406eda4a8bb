/** Variables by which `pyro ui` knows whether a browser can be opened. */
export const uiVariables = {
  DISPLAY: {
    group: "host",
    allowed: { kind: "text", what: "a display of X" },
    otherwise: "none",
    purpose: "With a display, or WAYLAND_DISPLAY, `pyro ui` opens the browser by xdg-open",
    readers: "`pyro ui`"
  },
  WAYLAND_DISPLAY: {
    group: "host",
    allowed: { kind: "text", what: "a display of Wayland" },
    otherwise: "none",
    purpose: "As DISPLAY",
    readers: "`pyro ui`"
  },
  SSH_CONNECTION: {
    group: "host",
    allowed: { kind: "text", what: "the addresses and ports of an ssh session" },
    otherwise: "none",
    purpose: "In an ssh session, `pyro ui` opens no browser, and prints the command of a tunnel",
    readers: "`pyro ui`"
  },
  USER: {
    group: "host",
    allowed: { kind: "text", what: "a user's name" },
    otherwise: "`USER`",
    purpose: "Name in that command",
    readers: "`pyro ui`"
  }
} as const
