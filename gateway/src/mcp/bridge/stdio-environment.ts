/**
 * Which environment a child process gets: the few variables that MCP clients pass on by habit, plus what its entry in
 * `mcpServers` names. The gateway's own environment holds keys and tokens and is never handed on.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where programs, caches and certificates are, and which language they speak. None of them carries a secret. */
const INHERITED_VARIABLES = [
  'HOME',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TERM',
  'USER',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  'TMPDIR',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'APPDATA',
  'HOMEDRIVE',
  'HOMEPATH',
  'LOCALAPPDATA',
  'PATHEXT',
  'PROCESSOR_ARCHITECTURE',
  'PROGRAMFILES',
  'SYSTEMDRIVE',
  'SYSTEMROOT',
  'TEMP',
  'USERNAME',
  'USERPROFILE',
] as const;

/**
 * @param inherited the gateway's environment
 * @param own `env` of the server's entry; wins
 */
export function childEnvironment(inherited: Environment, own: Environment = {}): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of INHERITED_VARIABLES) {
    const value = inherited[name];
    // Exported shell functions run code in the child's shell.
    if (value !== undefined && !value.startsWith('()')) environment[name] = value;
  }
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}
