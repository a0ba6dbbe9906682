import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '#lib/core/errors/engine-error.js';
import type { ImageRunConfig } from '#lib/core/image-config.js';
import { applyConfigChanges } from '#lib/image/config-changes.js';

const change = (config: ImageRunConfig, ...changes: string[]): ImageRunConfig => applyConfigChanges(config, changes);

test('commands are a JSON list, or a text for the shell of the image', () => {
  assert.deepEqual(change({}, 'CMD ["echo", "a b"]'), { Cmd: ['echo', 'a b'] });
  assert.deepEqual(change({}, 'cmd echo $HOME'), { Cmd: ['/bin/sh', '-c', 'echo $HOME'] });
  assert.deepEqual(change({ Shell: ['/bin/bash', '-ec'] }, 'CMD a').Cmd, ['/bin/bash', '-ec', 'a']);
  assert.deepEqual(change({}, 'CMD [not json]').Cmd, ['/bin/sh', '-c', '[not json]']);
  assert.deepEqual(change({}, 'CMD []').Cmd, []);
});

test('an entrypoint drops the command of the image, not one of the same changes', () => {
  assert.deepEqual(change({ Cmd: ['old'] }, 'ENTRYPOINT ["e"]'), { Entrypoint: ['e'], Cmd: [] });
  for (const changes of [
    ['ENTRYPOINT ["e"]', 'CMD ["new"]'],
    ['CMD ["new"]', 'ENTRYPOINT ["e"]'],
  ]) {
    assert.deepEqual(change({ Cmd: ['old'] }, ...changes), { Entrypoint: ['e'], Cmd: ['new'] });
  }
});

test('variables are set in place, in both forms, with quotes', () => {
  const config = { Env: ['PATH=/bin', 'A=1'] };
  assert.deepEqual(change(config, `ENV A=2 B="two words" C='$A' D=a\\ b`).Env, [
    'PATH=/bin',
    'A=2',
    'B=two words',
    'C=$A',
    'D=a b',
  ]);
  assert.deepEqual(change(config, 'ENV B all of  this').Env, ['PATH=/bin', 'A=1', 'B=all of  this']);
  assert.deepEqual(change(config, 'ENV PATH=/opt/bin:$PATH').Env, ['PATH=/opt/bin:/bin', 'A=1']);
});

test('variables are replaced everywhere but in commands', () => {
  const config = { Env: ['NAME=x', 'EMPTY='] };
  const labels = (text: string) => change(config, `LABEL ${text}`).Labels;
  assert.deepEqual(labels(`a=$NAME b=\${NAME}y c="\${NAME} $NAME" d=\\$NAME e="\\$NAME"`), {
    a: 'x',
    b: 'xy',
    c: 'x x',
    d: '$NAME',
    e: '$NAME',
  });
  assert.deepEqual(labels(`a=\${NO:-other} b=\${EMPTY:-$NAME} c=\${NAME:-no} d=\${NAME:+yes} e=\${NO:+no} f=$NO`), {
    a: 'other',
    b: 'x',
    c: 'x',
    d: 'yes',
    e: '',
    f: '',
  });
  assert.equal(change(config, 'USER $NAME').User, 'x');
  assert.equal(change(config, 'WORKDIR /$NAME').WorkingDir, '/x');
  assert.deepEqual(change({ Env: ['P=8080'] }, 'EXPOSE $P').ExposedPorts, { '8080/tcp': {} });
  assert.deepEqual(change(config, 'CMD echo $NAME').Cmd?.at(-1), 'echo $NAME');
});

test('ports, labels and volumes are added to those of the image', () => {
  const config = { ExposedPorts: { '1/tcp': {} }, Labels: { a: '1' }, Volumes: { '/v': {} } };
  const changed = change(
    config,
    'EXPOSE 80 53/UDP 8000-8002',
    'LABEL a=2 b="c d"',
    'VOLUME ["/w", "/x y"]',
    'VOLUME /z',
  );
  assert.deepEqual(changed, {
    ExposedPorts: { '1/tcp': {}, '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} },
    Labels: { a: '2', b: 'c d' },
    Volumes: { '/v': {}, '/w': {}, '/x y': {}, '/z': {} },
  });
});

test('a directory is relative to the one before', () => {
  assert.equal(change({ WorkingDir: '/a' }, 'WORKDIR b', 'WORKDIR ../c').WorkingDir, '/a/c');
  assert.equal(change({}, 'WORKDIR b').WorkingDir, '/b');
  assert.equal(change({ WorkingDir: '/a' }, 'WORKDIR /with space').WorkingDir, '/with space');
});

test('health checks have flags with durations', () => {
  assert.deepEqual(change({}, 'HEALTHCHECK NONE').Healthcheck, { Test: ['NONE'] });
  assert.deepEqual(
    change({}, 'HEALTHCHECK --interval=1m30s --timeout=500ms --retries=2 CMD curl -f $URL').Healthcheck,
    {
      Test: ['CMD-SHELL', 'curl -f $URL'],
      Interval: 90e9,
      Timeout: 5e8,
      Retries: 2,
    },
  );
  const flags = '--start-period=1.5s --start-interval=1h';
  assert.deepEqual(change({}, `HEALTHCHECK ${flags} CMD ["curl", "x"]`).Healthcheck, {
    Test: ['CMD', 'curl', 'x'],
    StartPeriod: 1.5e9,
    StartInterval: 3600e9,
  });
});

test('user, stop signal and triggers', () => {
  const changed = change({ OnBuild: ['RUN a'] }, 'USER app:1000', 'STOPSIGNAL SIGRTMIN+3', 'ONBUILD COPY . /src');
  assert.deepEqual(changed, { User: 'app:1000', StopSignal: 'SIGRTMIN+3', OnBuild: ['RUN a', 'COPY . /src'] });
});

test('several lines, continued lines and comments', () => {
  const text = '# a comment\nENV A=1 \\\n  # inside\n  B=2\n\n  cmd ["x"]\n';
  assert.deepEqual(change({}, text), { Env: ['A=1', 'B=2'], Cmd: ['x'] });
});

test('the configuration that was given stays as it is', () => {
  const config = Object.freeze({ Env: Object.freeze(['A=1']), Labels: Object.freeze({ a: '1' }) });
  change(config, 'ENV A=2', 'LABEL a=2', 'CMD x');
  assert.deepEqual(config, { Env: ['A=1'], Labels: { a: '1' } });
});

test('what is no such instruction is refused by its name, without values of variables', () => {
  const refused = (text: string): string => {
    try {
      change({}, text);
    } catch (error) {
      if (EngineError.is(error, 'INVALID_OPTION') && error.data.option === 'changes') return error.data.got;
      throw error;
    }
    throw new Error(`${text} was taken`);
  };
  for (const name of ['RUN', 'COPY', 'FROM', 'SHELL', 'ARG', '__PROTO__']) assert.equal(refused(`${name} x`), name);
  for (const text of ['CMD', 'ENV', 'ENV =secret', 'ENV secret', 'LABEL x', 'USER a b', 'VOLUME [""]']) {
    assert.equal(refused(text), text.split(' ')[0]);
  }
  assert.equal(refused('CMD a\0b'), 'CMD');
  assert.equal(refused('EXPOSE 0'), '0');
  for (const port of ['70000', '9-8', '80/xyz', 'http']) assert.equal(refused(`EXPOSE ${port}`), port);
  assert.equal(refused('STOPSIGNAL NONSENSE'), 'NONSENSE');
  refused('USER 0x1');
  assert.equal(refused('ONBUILD ONBUILD RUN x'), 'ONBUILD ONBUILD');
  for (const text of [
    'CMD',
    'x',
    '--interval=5 CMD x',
    '--interval=1us CMD x',
    '--nope=1s CMD x',
    'NONE x',
    'CMD []',
  ]) {
    refused(`HEALTHCHECK ${text}`);
  }
});
