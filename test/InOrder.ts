/** Test files in the order in which their suites are named in `FX_TEST_ORDER`: the slow virtual machine tells quick results first. */
import { relative } from "node:path"
import { BaseSequencer, type TestSpecification } from "vitest/node"

const suites = (process.env["FX_TEST_ORDER"] ?? "").split(" ").filter((suite) => suite !== "")

export class InOrder extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const place = ({ moduleId }: TestSpecification): number => {
      const path = relative(this.ctx.config.root, moduleId)
      const index = suites.findIndex((suite) => path.startsWith(suite))
      return index < 0 ? suites.length : index
    }
    return [...await super.sort(files)].sort((one, other) => place(one) - place(other))
  }
}
