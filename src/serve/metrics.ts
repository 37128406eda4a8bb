import type { Door } from "./door/listener.ts"

/** Type of an exposition of OpenMetrics 1.0. */
export const OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

/** What the door counts, as OpenMetrics. */
export const openMetrics = ({ bytes, dropped, lines, pending }: ReturnType<Door["counts"]>): string =>
  [
    "# TYPE pyro_door_connections gauge",
    "# HELP pyro_door_connections Open connections with a token.",
    `pyro_door_connections ${lines}`,
    "# TYPE pyro_door_pending_connections gauge",
    "# HELP pyro_door_pending_connections Open connections that have shown no token yet.",
    `pyro_door_pending_connections ${pending}`,
    "# TYPE pyro_door_dropped_connections counter",
    "# HELP pyro_door_dropped_connections Connections that were ended before they showed a token.",
    `pyro_door_dropped_connections_total{reason="per_address"} ${dropped.perAddress}`,
    `pyro_door_dropped_connections_total{reason="in_all"} ${dropped.inAll}`,
    `pyro_door_dropped_connections_total{reason="time"} ${dropped.time}`,
    "# TYPE pyro_door_bytes counter",
    "# UNIT pyro_door_bytes bytes",
    "# HELP pyro_door_bytes Bytes of messages with clients.",
    `pyro_door_bytes_total{direction="received"} ${bytes.received}`,
    `pyro_door_bytes_total{direction="sent"} ${bytes.sent}`,
    "# EOF",
    ""
  ].join("\n")
