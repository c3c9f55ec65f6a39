/**
 * The Kubernetes manifests without a cluster: each object against the API's own schema, references between them, secrets
 * by holder, and the configurations they carry loaded as the pods would.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Deployment, StatefulSet } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { Job } from 'kubernetes-models/batch/v1';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import { ConfigMap, Service } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { parseConfig } from '../../src/config/load.ts';
import { PROVISIONING } from './grafana-files.ts';

const FOLDER = join(PROVISIONING, 'kubernetes');
const MODELS = { StatefulSet, HorizontalPodAutoscaler, Job, NetworkPolicy, PodDisruptionBudget, ConfigMap, Service };

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly secretKeyRef: { readonly name: string; readonly key: string } };
  }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string }[];
}
interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly [Container];
  readonly volumes?: readonly { readonly name: string; readonly configMap?: { readonly name: string } }[];
}
interface Manifest {
  readonly apiVersion: string;
  readonly kind: keyof typeof MODELS;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template?: { readonly metadata: { readonly labels: object }; readonly spec: PodSpec };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
    readonly selector?: unknown;
    readonly ports?: readonly { readonly port: number; readonly targetPort?: string }[];
  };
}

const files = readdirSync(FOLDER).filter((name) => name !== 'kustomization.yaml');
const manifests = files.flatMap((file) =>
  parseAllDocuments(readFileSync(join(FOLDER, file), 'utf8')).map((document) => document.toJS() as Manifest)
);
const named = manifests.map((one) => [`${one.kind} ${one.metadata.name}`, one] as const);
const pods = manifests.flatMap((one) =>
  one.spec?.template === undefined ? [] : [{ one, pod: one.spec.template.spec }]
);

describe('the manifests', () => {
  it.each(named)('%s is what the API takes', (_name, manifest) => {
    expect(Object.keys(MODELS)).toContain(manifest.kind);
    const model = new MODELS[manifest.kind](manifest as never);
    expect(() => {
      model.validate();
    }).not.toThrow();
    expect(manifest.metadata.namespace).toBe('gatelens');
  });

  it('are held against a schema that can fail', () => {
    expect(() => {
      new Deployment({ metadata: { name: 'x' }, spec: { replicas: 'two' } } as never).validate();
    }).toThrow('replicas');
  });

  it('are all in the kustomization', () => {
    const { resources } = parse(readFileSync(join(FOLDER, 'kustomization.yaml'), 'utf8')) as { resources: string[] };
    expect([...resources].sort()).toEqual([...files].sort());
  });

  it('harden each pod, and keep on disk what must come back', () => {
    expect(pods.map(({ one }) => one.metadata.name).sort()).toEqual(['audit-api', 'collector', 'gateway', 'migrate']);
    for (const { one, pod } of pods) {
      const [container] = pod.containers;
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.image).toMatch(/:\d+\.\d+\.\d+$/);
      const volumes = [
        ...(pod.volumes ?? []),
        ...(one.spec?.volumeClaimTemplates ?? []).map(({ metadata }) => metadata),
      ].map(({ name }) => name);
      expect(container.volumeMounts.map(({ name }) => name).sort()).toEqual([...volumes].sort());
      if (one.kind === 'StatefulSet') expect(one.spec?.volumeClaimTemplates?.length).toBe(1);
    }
  });

  it('take secrets from the one Secret, each pod its own', () => {
    const example = readFileSync(join(PROVISIONING, '../.env.example'), 'utf8');
    const holders = (key: string): string[] =>
      pods
        .filter(({ pod }) => pod.containers[0].env.some(({ name }) => name === key))
        .map(({ one }) => one.metadata.name);
    for (const { pod } of pods)
      for (const { name, valueFrom } of pod.containers[0].env) {
        if (valueFrom === undefined) continue;
        expect(valueFrom.secretKeyRef).toEqual({ name: 'gatelens', key: name });
        // made after Grafana runs
        if (name !== 'GATELENS_GRAFANA_TOKEN') expect(example).toContain(`\n${name}=`);
      }
    expect(holders('GATELENS_PRIVATE_KEY')).toEqual(['audit-api']);
    expect(holders('CLICKHOUSE_ADMIN_PASSWORD')).toEqual(['migrate']);
    expect(holders('CLICKHOUSE_API_PASSWORD').sort()).toEqual(['audit-api', 'migrate']);
  });

  it('carry configurations that load, and listen where the services point', () => {
    for (const { one, pod } of pods) {
      const [container] = pod.containers;
      const map = pod.volumes?.flatMap(({ configMap }) => configMap?.name ?? []) ?? [];
      const data = manifests.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === map[0])?.data;
      if (data === undefined) {
        expect([one.metadata.name, map]).toEqual(['collector', ['collector-config']]);
        continue;
      }
      const file = container.args[container.args.indexOf('--config') + 1]?.split('/').at(-1) ?? '';
      const env = Object.fromEntries(
        container.env.map(({ name }, n) => [name, Buffer.alloc(32, n + 1).toString('base64url')])
      );
      const { config } = parseConfig(parse(data[file] ?? '') as Record<string, unknown>, {
        source: file,
        env,
        baseDir: '/',
        dataDir: tmpdir(),
      });
      const ports = container.ports?.map(({ containerPort }) => containerPort) ?? [];
      const listening = [config.listen.mcp, config.listen.metrics, config.listen.auditApi]
        .filter(({ host }) => host === '0.0.0.0')
        .map(({ port }) => port);
      expect([one.metadata.name, [...ports].sort()]).toEqual([one.metadata.name, [...listening].sort()]);
    }
    for (const { spec, kind } of manifests) {
      if (kind !== 'Service') continue;
      const target = pods.find(
        ({ one }) => JSON.stringify(one.spec?.template?.metadata.labels) === JSON.stringify(spec?.selector)
      );
      for (const { port, targetPort } of spec?.ports ?? []) {
        const found = target?.pod.containers[0].ports?.find((one) => one.containerPort === port);
        expect({ port, ok: found !== undefined && (targetPort === undefined || targetPort === found.name) }).toEqual({
          port,
          ok: true,
        });
      }
    }
  });
});
