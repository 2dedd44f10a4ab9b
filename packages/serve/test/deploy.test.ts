// Checks the files in deploy/ without a cluster: they match the schemas of Kubernetes and Compose, what they refer to exists, and
// they restrict what the security notes say they do.

import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { createLocalEngine } from '../src/index.js';
import { createMetrics } from '../src/observe.js';
import { checkServerOptions } from '../src/options.js';
import { createFakeModel } from './support/fakes.js';
import { composeProblems, kubernetesProblems } from './support/schemas.js';

const folder = new URL('../deploy/', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, folder), 'utf8');

/** The documents of a file. Fails on any error or repeated key. */
function documentsOf(path: string): readonly Record<string, never>[] {
  return parseAllDocuments(textOf(path), { strict: true, uniqueKeys: true }).map((document) => {
    expect([...document.errors, ...document.warnings]).toEqual([]);
    return document.toJS() as Record<string, never>;
  });
}

interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: each test reads the fields that it needs
  readonly spec: any;
}

interface Kustomization {
  readonly resources: readonly string[];
  readonly secretGenerator: readonly { readonly name: string; readonly files: readonly string[] }[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
}

const [kustomization] = documentsOf('kubernetes/kustomization.yaml') as unknown as readonly [Kustomization];
const resources = kustomization.resources.flatMap((name) =>
  documentsOf(`kubernetes/${name}`),
) as unknown as readonly Resource[];
/** The time limit of a request, and so of a shutdown, in seconds. */
const { shutdownMs } = checkServerOptions({ engine: createLocalEngine({ model: createFakeModel() }) });
const shutdown = shutdownMs / 1000;
const find = (kind: string, name = 'mmtok'): Resource => {
  const found = resources.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
};

const { spec } = find('Deployment');
const pod = spec.template.spec;

describe('the Kubernetes manifests', () => {
  const [container] = pod.containers;
  const labels = spec.template.metadata.labels;
  const argument = (name: string): string =>
    (container.args as string[]).find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3) ?? '';

  test('use kinds and versions that exist', () => {
    expect(resources.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`).sort()).toEqual([
      'apps/v1 Deployment',
      'autoscaling/v2 HorizontalPodAutoscaler',
      'networking.k8s.io/v1 NetworkPolicy',
      'networking.k8s.io/v1 NetworkPolicy',
      'policy/v1 PodDisruptionBudget',
      'v1 Service',
    ]);
    const files = readdirSync(new URL('kubernetes/', folder)).filter((name) => name.endsWith('.yaml'));
    expect(files.sort()).toEqual([...kustomization.resources, 'kustomization.yaml'].sort());
  });

  test.each(resources.map((resource) => [resource.kind, resource.metadata.name, resource] as const))(
    '%s %s matches its schema',
    async (_kind, _name, resource) => {
      expect(await kubernetesProblems(resource)).toEqual([]);
    },
  );

  test('the schemas reject fields that are unknown, missing, or of another type', async () => {
    const deployment = find('Deployment');
    const changed = (change: (spec: Resource['spec']) => void): Resource => {
      const copy = structuredClone(deployment);
      change(copy.spec);
      return copy;
    };
    const typo = changed((each) => {
      each.template.spec.containers[0].readinesProbe = {};
    });
    expect(await kubernetesProblems(typo)).toEqual([
      '/spec/template/spec/containers/0/readinesProbe is unknown',
    ]);
    const missing = changed((each) => {
      each.selector = undefined;
    });
    expect((await kubernetesProblems(missing)).join()).toMatch(/selector/);
    const wrong = changed((each) => {
      each.template.spec.terminationGracePeriodSeconds = '5m';
    });
    expect((await kubernetesProblems(wrong)).join()).toMatch(/integer/);
  });

  test('select the same pods', () => {
    expect(spec.selector.matchLabels).toEqual(labels);
    expect(find('Service').spec.selector).toEqual(labels);
    expect(find('PodDisruptionBudget').spec.selector.matchLabels).toEqual(labels);
    for (const { labelSelector } of pod.topologySpreadConstraints)
      expect(labelSelector.matchLabels).toEqual(labels);
    expect(find('NetworkPolicy', 'mmtok-egress').spec.podSelector.matchLabels).toEqual(labels);
    const target = find('HorizontalPodAutoscaler').spec.scaleTargetRef;
    expect(target).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: find('Deployment').metadata.name,
    });
  });

  test('refer only to existing ports, volumes, and keys', () => {
    const ports = (container.ports as { name: string }[]).map(({ name }) => name);
    const probes = [container.startupProbe, container.readinessProbe, container.livenessProbe];
    for (const { httpGet } of probes) {
      expect(ports).toContain(httpGet.port);
      expect(['/health', '/ready']).toContain(httpGet.path);
    }
    expect(ports).toContain(find('Service').spec.ports[0].targetPort);
    const volumes = (pod.volumes as { name: string }[]).map(({ name }) => name);
    const mounts = container.volumeMounts as { name: string; mountPath: string }[];
    expect(mounts.map(({ name }) => name).sort()).toEqual(volumes.sort());
    const secret = (pod.volumes as { secret?: { secretName: string } }[]).find((each) => each.secret)?.secret;
    const generated = kustomization.secretGenerator.find(({ name }) => name === secret?.secretName);
    expect(secret).toMatchObject({ defaultMode: 0o440 });
    for (const option of ['api-key-file', 'upstream-key-file']) {
      const [, key = ''] = /^\/secrets\/(.+)$/.exec(argument(option)) ?? [];
      expect(generated?.files).toContain(`secrets/${key}`);
    }
  });

  test('contain no key, and name one version of the image', () => {
    const all = kustomization.resources.map((name) => textOf(`kubernetes/${name}`));
    expect(all.join('\n')).not.toMatch(/stringData|kind: Secret/);
    expect(textOf('kubernetes/.gitignore')).toContain('secrets/');
    const image = kustomization.images.find(({ name }) => name === container.image);
    expect(image?.newTag).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test('let only mmtok reach vLLM, and mmtok nothing but vLLM and DNS', () => {
    const port = Number(new URL(argument('upstream')).port);
    const only = find('NetworkPolicy', 'vllm-only-from-mmtok').spec;
    expect(only.policyTypes).toEqual(['Ingress']);
    expect(only.ingress).toEqual([
      { from: [{ podSelector: { matchLabels: labels } }], ports: [{ protocol: 'TCP', port }] },
    ]);
    const { egress, policyTypes } = find('NetworkPolicy', 'mmtok-egress').spec;
    expect(policyTypes).toEqual(['Egress']);
    expect(egress[0].to).toEqual([{ podSelector: only.podSelector }]);
    expect(egress[0].ports).toEqual([{ protocol: 'TCP', port }]);
    expect(
      egress.slice(1).flatMap((each: { ports: { port: number }[] }) => each.ports.map((one) => one.port)),
    ).toEqual([53, 53]);
  });

  test('scale on a metric that the server has', async () => {
    const metrics = await createMetrics(createLocalEngine({ model: createFakeModel() })).text();
    const [{ pods, type }] = find('HorizontalPodAutoscaler').spec.metrics;
    expect(type).toBe('Pods');
    expect(metrics).toContain(`\n${pods.metric.name} `);
    const { minReplicas, maxReplicas } = find('HorizontalPodAutoscaler').spec;
    expect(minReplicas).toBeLessThan(maxReplicas);
  });

  test('give requests in flight time to finish, and the container no privileges', () => {
    const pause = Number(container.lifecycle.preStop.exec.command[1]);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(pause + shutdown);
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.automountServiceAccountToken).toBe(false);
    for (const amount of ['memory', 'ephemeral-storage']) {
      expect(container.resources.requests[amount]).toBeDefined();
      expect(container.resources.limits[amount]).toBeDefined();
    }
  });
});

describe('the Compose file', () => {
  const [compose] = documentsOf('compose.yaml') as unknown as readonly [
    {
      // biome-ignore lint/suspicious/noExplicitAny: each test reads the fields that it needs
      services: Record<string, any>;
      networks: Record<string, { internal?: boolean }>;
      secrets: Record<string, unknown>;
    },
  ];
  const { mmtok, vllm } = compose.services;

  test('matches the Compose specification', () => {
    expect(composeProblems(compose)).toEqual([]);
    const typo = { ...compose, services: { mmtok: { ...mmtok, read_onyl: true } } };
    expect(composeProblems(typo).join()).toMatch(/additional properties/);
  });

  test('names one version of each image', () => {
    expect(vllm.image).toMatch(/:v\d+\.\d+\.\d+$/);
    expect(mmtok.image).toMatch(/^mmtok-serve:\$\{MMTOK_VERSION:\?/);
  });

  test('lets nothing but mmtok reach vLLM', () => {
    expect(vllm.ports).toBeUndefined();
    for (const network of vllm.networks) expect(compose.networks[network]?.internal).toBe(true);
    for (const [name, service] of Object.entries(compose.services)) {
      const isNear = (service.networks as string[]).some((network) => vllm.networks.includes(network));
      expect(isNear).toBe(['mmtok', 'vllm'].includes(name));
    }
  });

  test('refers only to existing networks, secrets, and services', () => {
    for (const service of Object.values(compose.services)) {
      for (const network of service.networks) expect(Object.keys(compose.networks)).toContain(network);
      for (const secret of service.secrets) expect(Object.keys(compose.secrets)).toContain(secret);
    }
    expect(Object.keys(mmtok.depends_on)).toEqual(['vllm']);
    const upstream = (mmtok.command as string[]).find((each) => each.startsWith('--upstream='));
    expect(new URL(upstream?.slice('--upstream='.length) ?? '').hostname).toBe('vllm');
    expect(vllm.command.join(' ')).toContain('--enable-mm-embeds');
  });

  test('publishes ports on this machine only, and gives requests in flight time to finish', () => {
    for (const port of mmtok.ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(Number.parseInt(mmtok.stop_grace_period, 10)).toBeGreaterThan(shutdown);
    expect(mmtok).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  });
});

describe('the Containerfile', () => {
  const lines = textOf('Containerfile')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => /^([A-Z]+)\s+(.*)$/.exec(line)?.slice(1) ?? ['?', line]);
  const all = (instruction: string): readonly string[] =>
    lines.flatMap(([name, rest = '']) => (name === instruction ? [rest] : []));

  test('uses known instructions, pinned images, and existing stages', () => {
    const known = ['FROM', 'WORKDIR', 'ARG', 'RUN', 'ENV', 'COPY', 'USER', 'EXPOSE', 'VOLUME', 'ENTRYPOINT'];
    expect(lines.filter(([name = '']) => !known.includes(name))).toEqual([]);
    const stages = all('FROM').map((each) => / AS (\S+)$/.exec(each)?.[1]);
    for (const image of all('FROM')) expect(image).toMatch(/^\$\{NODE_IMAGE\}/);
    expect(all('ARG')).toContainEqual(
      expect.stringMatching(/^NODE_IMAGE=docker\.io\/library\/node:\d+\.\d+\.\d+-[a-z-]+$/),
    );
    // The package version has no default, so every build names the version that it installs.
    expect(all('ARG')).toContain('MMTOK_VERSION');
    for (const copy of all('COPY')) expect(stages).toContain(/^--from=(\S+) /.exec(copy)?.[1]);
  });

  test('runs the command as process 1, and not as root', () => {
    const last = lines.findLastIndex(([name]) => name === 'RUN');
    expect(lines.findIndex(([name]) => name === 'USER')).toBeGreaterThan(last);
    expect(all('USER')).toEqual([String(pod.securityContext.runAsUser)]);
    const [command, script, ...args] = JSON.parse(all('ENTRYPOINT')[0] ?? '[]') as string[];
    const { bin } = JSON.parse(readFileSync(new URL('../../cli/package.json', import.meta.url), 'utf8')) as {
      bin: Readonly<Record<string, string>>;
    };
    expect(command).toBe('node');
    expect(script).toBe(`node_modules/mmtok/${bin.mmtok?.replace('./', '')}`);
    expect(args[0]).toBe('serve');
  });
});
