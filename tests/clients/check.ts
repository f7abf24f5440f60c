// A TypeScript client generated from the description, against a running Edgeboard: once for each version and form of 64-bit
// integers. The type checker is the first half of the check: it fails where the description says less than the answers have.
//
// EDGEBOARD_URL and EDGEBOARD_KEY (the operator's) say where. The leaderboard `clients-ts` of the tenant `clients-check` is replaced.
import createClient from 'openapi-fetch';
import type { components as V1, paths as V1Paths } from './generated/v1.js';
import type { paths as V1StringPaths } from './generated/v1-strings.js';
import type { paths as V2Paths } from './generated/v2.js';
import type { paths as V2StringPaths } from './generated/v2-strings.js';

declare const process: { env: Record<string, string | undefined>; exit(code: number): never };

const baseUrl = process.env.EDGEBOARD_URL;
const key = process.env.EDGEBOARD_KEY;
if (!baseUrl || !key) {
  console.error('error: EDGEBOARD_URL and EDGEBOARD_KEY say what to check');
  process.exit(2);
}
const headers = { 'X-API-Key': key, 'X-Tenant-ID': 'clients-check' };
const strings = { ...headers, 'API-Integers': 'string' };
const leaderboard = 'clients-ts';
const BEYOND = '9007199254740993';

let failures = 0;
function same(what: string, found: unknown, expected: unknown) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(expected)];
  if (left !== right) {
    failures += 1;
    console.error(`FAILED ${what}\n  found    ${left}\n  expected ${right}`);
  }
}

async function version1() {
  const client = createClient<V1Paths>({ baseUrl, headers });
  const path = { leaderboard };
  await client.DELETE('/api/v1/leaderboards/{leaderboard}', { params: { path } });
  const created = await client.PUT('/api/v1/leaderboards/{leaderboard}', {
    params: { path },
    body: { title: 'Clients', columns: [{ name: 'score', order: 'desc' }], limits: { min: 0 } },
  });
  same('created', [created.response.status, created.data?.limits.min, created.data?.ties], [201, 0, 'earliest']);
  const patched = await client.PATCH('/api/v1/leaderboards/{leaderboard}', {
    params: { path },
    body: { title: null, limits: { min: null } },
  });
  same('patched', [patched.data?.title, patched.data?.limits.min], ['', null]);
  const batch = await client.POST('/api/v1/leaderboards/{leaderboard}/scores', {
    params: { path },
    body: { scores: [{ player: 'ann', score: 7, metadata: { car: 'red' } }, { player: 'bob', score: BEYOND }] },
  });
  same('batch', batch.response.status, 207);
  const list = await client.GET('/api/v1/leaderboards/{leaderboard}/entries', { params: { path, query: { limit: 2 } } });
  const entries: V1['schemas']['Entry'][] = list.data?.entries ?? [];
  same('list', entries.map((entry) => [entry.rank, entry.player, entry.values['score']]), [[1, 'bob', BEYOND], [2, 'ann', 7]]);
  same('metadata', entries[1]?.metadata['car'], 'red');
  const missing = await client.GET('/api/v1/leaderboards/{leaderboard}/entries/{player}', {
    params: { path: { leaderboard, player: 'nobody' } },
  });
  const problem: V1['schemas']['Problem'] | undefined = missing.error;
  same('problem', [missing.response.status, problem?.type], [404, '/problems/entry-not-found']);
  const refused = await client.POST('/api/v1/leaderboards/{leaderboard}/scores', {
    params: { path },
    body: { player: '', score: 1.5 },
  });
  same('errors', refused.error?.errors?.map((error) => error.pointer), ['#/player', '#/score']);
}

async function version2() {
  const client = createClient<V2Paths>({ baseUrl, headers });
  const list = await client.GET('/api/v2/leaderboards/{leaderboard}/entries', { params: { path: { leaderboard } } });
  same('list of version 2', list.data?.data.map((entry) => [entry.player.id, entry.values['score']]), [['bob', BEYOND], ['ann', 7]]);
  same('page', [list.data?.page.next, list.data?.page.snapshot?.drifted], [null, false]);
}

async function integersAsStrings() {
  const client = createClient<V1StringPaths>({ baseUrl, headers: strings });
  const path = { leaderboard };
  const one = await client.GET('/api/v1/leaderboards/{leaderboard}/entries/{player}', { params: { path: { ...path, player: 'ann' } } });
  // The type is string, with no cast and no union.
  const score: string | undefined = one.data?.entry.values['score'];
  same('a string', score, '7');
  const submitted = await client.POST('/api/v1/leaderboards/{leaderboard}/scores', { params: { path }, body: { player: 'ann', score: '8' } });
  const outcome = submitted.data;
  same('an outcome', outcome && 'values' in outcome ? outcome.values?.['score'] : undefined, '8');
  const newest = createClient<V2StringPaths>({ baseUrl, headers: strings });
  const list = await newest.GET('/api/v2/leaderboards/{leaderboard}/entries', { params: { path } });
  const values: (string | undefined)[] = list.data?.data.map((entry) => entry.values['score']) ?? [];
  same('strings of version 2', values, [BEYOND, '8']);
}

await version1();
await version2();
await integersAsStrings();
if (failures > 0) {
  console.error(`error: ${failures} checks of the TypeScript client failed`);
  process.exit(1);
}
console.error('==> the TypeScript client works');
