// Ordinary OpenFeature clients, with the providers that OpenFeature publishes, against a running Edgeboard.
//
// EDGEBOARD_URL and EDGEBOARD_KEY (the operator's) say where. The flags of the tenant `ofrep-check` are replaced. Ends with 1
// when anything is not as it should be.

import { isDeepStrictEqual } from 'node:util';

import { OFREPProvider } from '@openfeature/ofrep-provider';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';
import { OpenFeature as Server } from '@openfeature/server-sdk';
import { OpenFeature as Web, ProviderEvents } from '@openfeature/web-sdk';

const url = process.env.EDGEBOARD_URL;
const key = process.env.EDGEBOARD_KEY;
if (!url || !key) {
  console.error('error: EDGEBOARD_URL and EDGEBOARD_KEY say what to check');
  process.exit(2);
}
const headers = [
  ['X-API-Key', key],
  ['X-Tenant-ID', 'ofrep-check'],
];
const POLL_MS = 500;
// Copies of a set that changed are good for up to 30 seconds.
const PATIENCE_MS = 45_000;

let checks = 0;
const failures = [];

function same(what, found, expected) {
  checks += 1;
  if (!isDeepStrictEqual(found, expected)) {
    failures.push(what);
    console.error(`FAILED ${what}\n  found    ${JSON.stringify(found)}\n  expected ${JSON.stringify(expected)}`);
  }
}

const pick = (details, ...names) => Object.fromEntries(names.map((name) => [name, details[name]]));

async function until(what, holds) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > end) {
      same(what, 'did not happen', 'happened');
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  same(what, 'happened', 'happened');
}

const send = (method, path, document) =>
  fetch(`${url}/api/v1${path}`, {
    method,
    headers: new Headers([...headers, ['Content-Type', 'application/json']]),
    body: JSON.stringify(document),
  });

async function put(path, document) {
  const response = await send('PUT', path, document);
  if (!response.ok) {
    throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`);
  }
}

const flag = (variants, defaultVariant, more = {}) => ({ state: 'ENABLED', variants, defaultVariant, ...more });
const documentOf = (greeting) => ({
  metadata: { flagSetId: 'check' },
  flags: {
    'new-ranks': flag({ on: true, off: false }, 'on', { metadata: { owner: 'games', revision: 4 } }),
    greeting: flag({ short: 'hey', long: 'good evening', new: 'hello' }, greeting),
    decay: flag({ slow: 0.25, fast: 0.75 }, 'slow'),
    'page-size': flag({ small: 10, large: 100 }, 'small', {
      targeting: { if: [{ '==': [{ var: 'plan' }, 'vip'] }, 'large'] },
    }),
    theme: flag({ plain: {}, rich: { badges: true, rows: 25, title: 'Champions' } }, 'rich'),
    off: { ...flag({ on: true }, 'on'), state: 'DISABLED' },
    open: { state: 'ENABLED', variants: { on: true } },
    'two words': flag({ on: true }, 'on'),
    lost: flag({ on: true }, 'on', { targeting: { if: [true, 'nowhere'] } }),
    rollout: flag({ old: 'old', new: 'new' }, 'old', {
      targeting: { fractional: [['new', 30], ['old', 70]] },
    }),
    'for-tenant': flag({ yes: true, no: false }, 'no', {
      targeting: { if: [{ '==': [{ var: 'tenant' }, 'ofrep-check'] }, 'yes'] },
    }),
  },
});

async function server() {
  await Server.setProviderAndWait(new OFREPProvider({ baseUrl: url, headers }));
  const client = Server.getClient();
  const details = ['value', 'variant', 'reason', 'errorCode'];
  await until('the flags are there', async () => (await client.getStringValue('greeting', '')) === 'hey');
  const boolean = await client.getBooleanDetails('new-ranks', false);
  same('a boolean', pick(boolean, ...details), { value: true, variant: 'on', reason: 'STATIC', errorCode: undefined });
  same('its metadata', boolean.flagMetadata, { flagSetId: 'check', owner: 'games', revision: 4 });
  same('a string', await client.getStringValue('greeting', ''), 'hey');
  same('a number with a fraction', await client.getNumberValue('decay', 0), 0.25);
  same('an object', await client.getObjectValue('theme', {}), { badges: true, rows: 25, title: 'Champions' });
  same('a target', pick(await client.getNumberDetails('page-size', 0, { plan: 'vip' }), 'value', 'reason'), {
    value: 100,
    reason: 'TARGETING_MATCH',
  });
  same('no target', pick(await client.getNumberDetails('page-size', 0, { plan: 'free' }), 'value', 'reason'), {
    value: 10,
    reason: 'DEFAULT',
  });
  same('what the edge adds', await client.getBooleanValue('for-tenant', false, { tenant: 'other' }), true);
  same('no such flag', pick(await client.getStringDetails('nothing', 'mine'), ...details), {
    value: 'mine',
    variant: undefined,
    reason: 'ERROR',
    errorCode: 'FLAG_NOT_FOUND',
  });
  same('a variant that is none', pick(await client.getBooleanDetails('lost', false), 'value', 'errorCode'), {
    value: false,
    errorCode: 'GENERAL',
  });
  same('another type', pick(await client.getNumberDetails('greeting', 7), 'value', 'errorCode'), {
    value: 7,
    errorCode: 'TYPE_MISMATCH',
  });
  same('a key with a space', await client.getBooleanValue('two words', false), true);
  await rollout(client);
  await Server.setProviderAndWait(new OFREPProvider({ baseUrl: url, headers: [['X-API-Key', 'not the key']] }));
  same('a wrong key', pick(await Server.getClient().getBooleanDetails('new-ranks', false), 'value', 'reason'), {
    value: false,
    reason: 'ERROR',
  });
  await Server.close();
}

async function rollout(client) {
  const PLAYERS = 400;
  const of = (player) => client.getStringValue('rollout', '', { targetingKey: `player-${player}` });
  const first = await Promise.all(Array.from({ length: PLAYERS }, (_, player) => of(player)));
  const again = await Promise.all(Array.from({ length: PLAYERS }, (_, player) => of(player)));
  same('a player stays in a rollout', again, first);
  const share = first.filter((value) => value === 'new').length / PLAYERS;
  // Four standard deviations about 30 %.
  same(`a share of 30 % (found ${share})`, Math.abs(share - 0.3) < 0.092, true);
}

async function web() {
  const seen = [];
  const fetchImplementation = async (...request) => {
    const response = await fetch(...request);
    seen.push({ status: response.status, conditional: request[0].headers.has('If-None-Match') });
    return response;
  };
  await Web.setContext({ targetingKey: 'player-1', plan: 'vip' });
  const options = { baseUrl: url, headers, pollInterval: POLL_MS, cacheMode: 'disabled', fetchImplementation };
  await Web.setProviderAndWait(new OFREPWebProvider(options));
  const client = Web.getClient();
  same('web: a boolean', pick(client.getBooleanDetails('new-ranks', false), 'value', 'variant', 'reason'), {
    value: true,
    variant: 'on',
    reason: 'STATIC',
  });
  same('web: a number', client.getNumberValue('page-size', 0), 100);
  same('web: an object', client.getObjectValue('theme', {}).rows, 25);
  same('web: a flag switched off', pick(client.getBooleanDetails('off', false), 'value', 'reason', 'errorCode'), {
    value: false,
    reason: 'DISABLED',
    errorCode: undefined,
  });
  same('web: a flag without default', pick(client.getBooleanDetails('open', false), 'value', 'reason'), {
    value: false,
    reason: 'DEFAULT',
  });
  same('web: a variant that is none', client.getBooleanDetails('lost', false).errorCode, 'GENERAL');
  same('web: no such flag', client.getBooleanDetails('nothing', true).errorCode, 'FLAG_NOT_FOUND');
  await until('web: unchanged flags are not sent again', () => seen.some((it) => it.conditional && it.status === 304));
  await Web.setContext({ targetingKey: 'player-1', plan: 'free' });
  same('web: another context', client.getNumberValue('page-size', 0), 10);
  let changed = [];
  client.addHandler(ProviderEvents.ConfigurationChanged, (event) => {
    changed = changed.concat(event?.flagsChanged ?? []);
  });
  await put('/flags', documentOf('new'));
  await until('web: a change arrives', () => client.getStringValue('greeting', '') === 'hello');
  same('web: and is told', changed, ['greeting']);
  same('web: every answer was a good one', seen.filter((it) => ![200, 304].includes(it.status)), []);
  await Web.close();
}

async function killSwitch() {
  const writes = (variant) => ({ flags: { 'edgeboard.writes': flag({ on: true, off: false }, variant) } });
  const submit = () => send('POST', '/leaderboards/check/scores', { player: 'ann', score: 1 });
  await put('/leaderboards/check', {});
  same('writes are on', (await submit()).status, 200);
  await put('/flags', writes('off'));
  let refused;
  // Another instance may still go by an older copy, so this very answer is looked at.
  await until('writes are switched off', async () => {
    refused = await submit();
    return refused.status === 503;
  });
  same('with a problem of its own', (await refused.json()).type, '/problems/writes-disabled');
  same('that says when to try again', refused.headers.get('Retry-After'), '30');
  await put('/flags', writes('on'));
  await until('writes are switched on again', async () => (await submit()).status === 200);
}

await put('/operator/flags', { flags: {} });
await put('/flags', documentOf('short'));
await server();
await web();
await killSwitch();
if (failures.length > 0) {
  console.error(`${failures.length} of ${checks} checks failed`);
  process.exit(1);
}
console.log(`${checks} checks passed`);
process.exit(0);
