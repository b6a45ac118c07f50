/** How much longer than usual the tests wait: inside the virtual machine of the cgroup v2 suite, which is emulated. */

/** A factor for times; 1 on a machine of its own. `CGROUP2_VM` is set by the tool that starts the virtual machine. */
export const patience = process.env["CGROUP2_VM"] === "1" ? 20 : 1
