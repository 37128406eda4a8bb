const readers = "the daemon, when it starts"

/** Variables about builders, which make environments of images, and about caches of what guests fetch and build. A part of `variables`. */
export const buildVariables = {
  PYRO_PACKAGE_CACHE_MIB: {
    group: "pyro",
    allowed: { kind: "integer", min: 0, max: 1_073_741_824 },
    unit: "MiB",
    default: 4_096,
    purpose:
      "Maximum disk space of downloaded packages that workspaces share; 0: no package is kept. pyro evicts the least recently used ones",
    readers
  },
  PYRO_PULL_STALL_SECONDS: {
    group: "pyro",
    allowed: { kind: "integer", min: 5, max: 3_600 },
    unit: "seconds",
    default: 60,
    purpose: "Time for which a registry of images may send no byte, until pyro ends the pull",
    readers
  },
  PYRO_BUILDER_DISK_MIB: {
    group: "pyro",
    allowed: { kind: "integer", min: 512, max: 1_048_576 },
    unit: "MiB",
    default: 65_536,
    purpose:
      "Size of each of the two disks of the microVM that makes an environment of an image: one has its layers and their file systems, one the result. The host's disk has only what was written",
    readers
  },
  PYRO_BUILD_CACHE_MIB: {
    group: "pyro",
    allowed: { kind: "integer", min: 0, max: 1_073_741_824 },
    unit: "MiB",
    default: 8_192,
    purpose:
      "Maximum disk space of kept steps of Dockerfiles; 0: no step is kept. pyro evicts those of the least recently built environments",
    readers
  }
} as const
