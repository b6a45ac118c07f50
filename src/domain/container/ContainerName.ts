/** Names of containers: Docker's rule, and two words for those whom nobody named. */

/** moby daemon/names: at least two characters. */
const rule = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

/** The same in words. */
export const nameRule = "use two to 255 characters of a-z A-Z 0-9 _ . -, the first a letter or digit"

export const isContainerName = (name: string): boolean => rule.test(name) && name.length <= 255

const qualities = [
  "able", "amber", "brisk", "calm", "clear", "crisp", "deft", "eager", "fair", "fleet", "fond", "frank", "fresh",
  "gentle", "glad", "golden", "grand", "handy", "happy", "hardy", "honest", "jolly", "keen", "kind", "lively",
  "loyal", "lucid", "mellow", "merry", "mild", "neat", "nimble", "noble", "patient", "plain", "polite", "proud",
  "quick", "quiet", "ready", "robust", "serene", "sharp", "silent", "sincere", "sleek", "smart", "snug", "solid",
  "spry", "steady", "stout", "sunny", "swift", "tidy", "trusty", "vivid", "warm", "wise", "witty"
]

const things = [
  "anchor", "aspen", "badger", "barge", "beacon", "birch", "bridge", "brook", "canal", "cedar", "clipper", "comet",
  "coral", "crane", "creek", "cutter", "delta", "dolphin", "dune", "falcon", "ferry", "fjord", "gannet", "glacier",
  "harbor", "heron", "island", "jetty", "juniper", "kayak", "kestrel", "lagoon", "lantern", "larch", "linnet",
  "lynx", "maple", "marten", "meadow", "orchard", "osprey", "otter", "petrel", "pier", "plover", "puffin", "quay",
  "raft", "reef", "ridge", "river", "robin", "schooner", "spruce", "starling", "sloop", "tern", "tide", "walrus",
  "willow"
]

/** `random` in [0, 1); a digit is put behind from the third try on. */
export const generatedName = (random: readonly [number, number, number], attempt: number): string => {
  const of = (words: ReadonlyArray<string>, at: number) => words[Math.floor(at * words.length)] ?? words[0]!
  const digit = attempt < 2 ? "" : String(Math.floor(random[2] * 10 ** Math.min(attempt - 1, 6)))
  return `${of(qualities, random[0])}_${of(things, random[1])}${digit}`
}
