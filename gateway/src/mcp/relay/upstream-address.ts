/** Host and port of an HTTP upstream, as the record names them. */
export interface UpstreamAddress {
  readonly host: string;
  readonly port: number;
}

export function upstreamAddress(url: URL): UpstreamAddress {
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port };
}
