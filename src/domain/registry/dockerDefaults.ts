/**
 * The names that docker has built in: where images without a domain live. The only file that names a
 * registry; everything else takes its registries from references and settings.
 */

/** The domain of a reference that names none. */
export const dockerDomain = "docker.io"

/** Older spelling of the same, still found in references and configuration files. */
export const dockerIndexDomain = "index.docker.io"

/** The host that serves the distribution API of `dockerDomain`. */
export const dockerRegistryHost = "registry-1.docker.io"

/** The host that answers searches of `dockerDomain`. */
export const dockerSearchHost = dockerIndexDomain

/** Key of the same registry in `auths` of docker's config.json and at credential helpers. */
export const dockerCredentialKey = "https://index.docker.io/v1/"

/** All spellings that mean docker's own registry. */
export const isDockerDomain = (domain: string): boolean =>
  domain === dockerDomain || domain === dockerIndexDomain || domain === dockerRegistryHost
