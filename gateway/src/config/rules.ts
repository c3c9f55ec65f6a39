/**
 * What no single setting can know: rules between sections. Each rule takes what has been parsed so far and says nothing
 * while a section it needs is missing, so that all mistakes of a file come out together.
 */
import type { FoundMistake } from './mistakes.ts';
import type { GatelensConfig } from './schema.ts';
import { formatHostPort, isLoopbackHost, type HostPort } from '../access/address.ts';

export interface RuleContext {
  /** keys made by `gatelens api-keys create` exist in the data directory */
  readonly hasStoredApiKeys: boolean;
  /** tokens made by `gatelens tokens create` exist in the data directory */
  readonly hasStoredAuditTokens: boolean;
}

type Parsed = Partial<GatelensConfig>;
type Rule = (config: Parsed, context: RuleContext) => FoundMistake[];

export function checkRules(config: Parsed, context: RuleContext): FoundMistake[] {
  return RULES.flatMap((rule) => rule(config, context));
}

const mcpWide: Rule = ({ listen, auth, http }, { hasStoredApiKeys }) => {
  if (listen === undefined || auth === undefined) return [];
  const wide = !isLoopbackHost(listen.mcp.host);
  const publicHost = http?.publicUrl === undefined ? undefined : new URL(http.publicUrl).hostname;
  const proxied = publicHost !== undefined && !isLoopbackHost(publicHost);
  if (auth.anonymous && (wide || proxied)) {
    const reason = wide ? 'with `listen.mcp` beyond this machine' : 'with an `http.publicUrl` beyond this machine';
    return [
      {
        at: ['auth', 'anonymous'],
        message: `cannot be true ${reason}: anybody who reaches it could call every tool`,
        remedy: 'Set it to false and use API keys or `auth.jwt`, or listen on 127.0.0.1.',
      },
    ];
  }
  if (wide && auth.apiKeys.length === 0 && auth.jwt === undefined && !hasStoredApiKeys) {
    return [
      {
        at: ['listen', 'mcp'],
        message: `listens beyond this machine (${formatHostPort(listen.mcp)}) and no authentication is configured`,
        remedy: 'Make a key with `gatelens api-keys create`, or set `auth.jwt`, or listen on 127.0.0.1.',
      },
    ];
  }
  return [];
};

const auditApiWide: Rule = ({ listen, auditApi }, { hasStoredAuditTokens }) =>
  listen !== undefined &&
  auditApi !== undefined &&
  !isLoopbackHost(listen.auditApi.host) &&
  auditApi.tokens.length === 0 &&
  auditApi.grafana === undefined &&
  !hasStoredAuditTokens
    ? [
        {
          at: ['listen', 'auditApi'],
          message: `listens beyond this machine (${formatHostPort(listen.auditApi)}) and nobody can authenticate`,
          remedy: 'Make a token with `gatelens tokens create`, or set `auditApi.grafana`, or listen on 127.0.0.1.',
        },
      ]
    : [];

const metricsWide: Rule = ({ listen, metrics }) =>
  listen !== undefined && metrics !== undefined && !isLoopbackHost(listen.metrics.host) && metrics.token === undefined
    ? [
        {
          at: ['listen', 'metrics'],
          message: `listens beyond this machine (${formatHostPort(listen.metrics)}) without a token: metrics name servers and tools`,
          remedy: 'Set `metrics.token` and give it to the scraper, or listen on 127.0.0.1.',
        },
      ]
    : [];

const storeLoopback: Rule = ({ listen }) =>
  listen !== undefined && !isLoopbackHost(listen.store.host)
    ? [
        {
          at: ['listen', 'store'],
          message: 'must be loopback: the embedded store is for this machine only',
          remedy: 'Write `127.0.0.1:8123`, or run a ClickHouse server and set `store.url`.',
        },
      ]
    : [];

const portsApart: Rule = ({ listen, store }) => {
  if (listen === undefined) return [];
  const addresses = (['mcp', 'auditApi', 'metrics', 'store'] as const).filter(
    (one) => one !== 'store' || store === undefined
  );
  return addresses.flatMap((one, index) =>
    addresses.slice(0, index).flatMap((other) =>
      overlap(listen[one], listen[other])
        ? [
            {
              at: ['listen', one],
              message: `uses the same port as listen.${other} (${listen[one].port})`,
              remedy: 'Give each listener a port of its own.',
            },
          ]
        : []
    )
  );
};

function overlap(one: HostPort, other: HostPort): boolean {
  if (one.port === 0 || one.port !== other.port) return false;
  const everywhere = (host: string) => host === '0.0.0.0' || host === '::';
  const same = (host: string) => (host === 'localhost' ? '127.0.0.1' : host);
  return everywhere(one.host) || everywhere(other.host) || same(one.host) === same(other.host);
}

const serverNames: Rule = ({ mcpServers }) =>
  mcpServers !== undefined && Object.hasOwn(mcpServers, 'gatelens')
    ? [{ at: ['mcpServers', 'gatelens'], message: "is the name of Gatelens' own server", remedy: 'Rename it.' }]
    : [];

const uniqueNames: Rule = ({ auth, auditApi, policy }) => [
  ...twice(auth?.apiKeys ?? [], ['auth', 'apiKeys']),
  ...twice(auditApi?.tokens ?? [], ['auditApi', 'tokens']),
  ...twice(policy ?? [], ['policy']),
  ...(auth?.apiKeys ?? []).flatMap((key, index) =>
    key.name === 'anonymous'
      ? [
          {
            at: ['auth', 'apiKeys', index, 'name'],
            message: 'cannot be `anonymous`, which has a meaning of its own',
            remedy: 'Rename it.',
          },
        ]
      : []
  ),
];

function twice(
  entries: readonly { readonly name?: string; readonly sha256?: string }[],
  at: readonly string[]
): FoundMistake[] {
  return entries.flatMap((entry, index) =>
    (['name', 'sha256'] as const).flatMap((key) =>
      entry[key] !== undefined && entries.slice(0, index).some((other) => other[key] === entry[key])
        ? [{ at: [...at, index, key], message: 'is used by an entry above, too', remedy: 'Give each its own.' }]
        : []
    )
  );
}

const viewerTokens: Rule = ({ auditApi }) =>
  (auditApi?.tokens ?? []).flatMap((token, index): FoundMistake[] => {
    const at = ['auditApi', 'tokens', index];
    if (token.role === 'viewer' && token.user === undefined) {
      return [
        {
          at: [...at, 'user'],
          message: 'is missing: a viewer sees own calls only',
          remedy: 'Write e.g. `user: ana@example.com`.',
        },
      ];
    }
    if (token.role !== 'auditor' && token.servers !== undefined) {
      return [
        {
          at: [...at, 'servers'],
          message: 'limits auditor tokens only',
          remedy: 'Remove it, or make the role `auditor`.',
        },
      ];
    }
    return [];
  });

const encryptionKeys: Rule = ({ encryption }) => {
  if (encryption === undefined) return [];
  const mistakes: FoundMistake[] = [];
  if (!Object.hasOwn(encryption.publicKeys, encryption.active)) {
    mistakes.push({
      at: ['encryption', 'active'],
      message: 'names no key in `encryption.publicKeys`',
      remedy: 'Add its public half there, or name one that is.',
    });
  }
  for (const id of Object.keys(encryption.privateKeys)) {
    if (Object.hasOwn(encryption.publicKeys, id)) continue;
    mistakes.push({
      at: ['encryption', 'privateKeys', id],
      message: 'has no public half in `encryption.publicKeys`',
      remedy: 'Add it.',
    });
  }
  return mistakes;
};

const otlpEndpoints: Rule = ({ otlp, store }) => {
  if (otlp === undefined) return [];
  const mistakes: FoundMistake[] = [];
  const { metadata, payloads } = otlp;
  if (store !== undefined && metadata === undefined && payloads === undefined) {
    mistakes.push({
      at: ['otlp', 'metadata'],
      message: 'is missing: with `store.url`, records reach your ClickHouse through an OpenTelemetry Collector',
      remedy: 'Set `otlp.metadata` and `otlp.payloads`, or leave `store` out for the embedded one.',
    });
  }
  if ((metadata === undefined) !== (payloads === undefined)) {
    const missing = metadata === undefined ? 'metadata' : 'payloads';
    mistakes.push({
      at: ['otlp', missing],
      message: 'is missing: metadata and payloads are sent to a collector both or neither',
      remedy: 'Set both, or neither for the embedded store.',
    });
  }
  if (metadata !== undefined && payloads !== undefined) {
    if (sameEndpoint(metadata.url, payloads.url)) {
      mistakes.push({
        at: ['otlp', 'payloads', 'url'],
        message: 'is the same as `otlp.metadata.url`',
        remedy: 'Give payloads a receiver of their own.',
      });
    }
    if (metadata.token !== undefined && metadata.token === payloads.token) {
      mistakes.push({
        at: ['otlp', 'payloads', 'token'],
        message: 'is the same as `otlp.metadata.token`',
        remedy: 'Give payloads a token of their own.',
      });
    }
  }
  for (const [index, mirror] of otlp.mirrors.entries()) {
    const shared = [metadata, payloads].some((one) => one !== undefined && sameEndpoint(one.url, mirror.url));
    if (!shared) continue;
    mistakes.push({
      at: ['otlp', 'mirrors', index, 'url'],
      message: 'is an endpoint of the audit itself: a failing mirror would hold it up',
      remedy: 'Give the mirror a receiver of its own, e.g. port 4320.',
    });
  }
  return mistakes;
};

function sameEndpoint(one: string, other: string): boolean {
  const normal = (url: string) => new URL(url).href.replace(/\/+$/, '');
  return normal(one) === normal(other);
}

const jwtTransport: Rule = ({ auth }) => {
  const jwt = auth?.jwt;
  if (jwt === undefined) return [];
  return (['issuer', 'jwksUrl'] as const).flatMap((key) => {
    const url = jwt[key];
    if (url === undefined || url.startsWith('https:') || isLoopbackHost(new URL(url).hostname)) return [];
    return [
      {
        at: ['auth', 'jwt', key],
        message: 'is plain http: whoever sits between could put in keys of their own',
        remedy: 'Use https (http is for loopback only).',
      },
    ];
  });
};

const RULES: readonly Rule[] = [
  mcpWide,
  auditApiWide,
  metricsWide,
  storeLoopback,
  portsApart,
  serverNames,
  uniqueNames,
  viewerTokens,
  encryptionKeys,
  otlpEndpoints,
  jwtTransport,
];
