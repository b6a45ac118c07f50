/**
 * nsfs: each node is a namespace, seen as an empty read-only file. Magic links of proc lead here.
 */
import { fail } from "../Draft.ts"
import type { Attributes, Driver } from "./Driver.ts"

const attributes: Attributes = {
  type: "file", mode: 0o444, uid: 0, gid: 0, links: 1, size: 0, modified: 0, major: 0, minor: 0
}

const refuse = (): never => fail("EPERM")

export const namespaceDriver: Driver = {
  lookup: () => fail("ENOTDIR"),
  parent: () => fail("ENOTDIR"),
  attributes: () => attributes,
  list: () => fail("ENOTDIR"),
  read: () => fail("EINVAL"),
  write: refuse,
  create: refuse,
  link: refuse,
  remove: refuse,
  rename: refuse,
  change: refuse,
  readAttribute: () => undefined,
  writeAttribute: refuse,
  listAttributes: () => []
}
