/** The form of `recorded.json`, and the circumstances under which it was recorded. */

/** Fields of the body of a create request: what docker's client made of a command line. */
export interface Body {
  readonly Config: { readonly [field: string]: unknown }
  readonly HostConfig: { readonly [field: string]: unknown }
}

export interface Recorded {
  /** Of `create image` without a flag. */
  readonly plain: Body
  /** Only the fields that differ from the plain ones. */
  readonly understood: Array<{ readonly argv: ReadonlyArray<string>; readonly body: Body }>
  readonly refused: Array<{ readonly argv: ReadonlyArray<string>; readonly exitCode: number; readonly stderr: string }>
  readonly helps: Array<{ readonly path: string; readonly stdout: string }>
}

export const environment = { D: "from the environment", FROM_FILE: "taken" }

export const fileContents: { readonly [placeholder: string]: string } = {
  $ENV: "# a comment\nFIRST=1\n  SECOND=two words \nFROM_FILE\nNOT_THERE\n",
  $LABELS: "one=1\ntwo=2\nthree\n",
  $PROFILE: `{\n  "defaultAction": "SCMP_ACT_ALLOW",\n  "syscalls": []\n}\n`
}
