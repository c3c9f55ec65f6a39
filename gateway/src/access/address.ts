/**
 * Addresses to listen on and to be called from. `isLoopbackHost` is what "only this machine" means everywhere: in the
 * rules of the configuration, for callers without a key, for plain-http keys of an issuer.
 */
export interface HostPort {
  readonly host: string;
  /** 0 lets the system choose */
  readonly port: number;
}

/** @returns undefined when it is no `host:port` */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text.trim());
  if (match === null) return undefined;
  const port = Number(match[3]);
  if (port > 65_535) return undefined;
  return { host: (match[1] ?? match[2] ?? '').toLowerCase(), port };
}

export function formatHostPort(address: HostPort): string {
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

/** 127.0.0.0/8, ::1 (also mapped) and `localhost`: nobody on another machine reaches these. */
export function isLoopbackHost(host: string): boolean {
  const bare = host.toLowerCase().replace(/^\[|\]$/g, '');
  if (bare === 'localhost' || bare === '::1') return true;
  const v4 = /^(?:::ffff:)?127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(bare);
  return v4?.slice(1).every((part) => Number(part) <= 255) ?? false;
}
