import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EngineError } from '../../core/errors/engine-error.js';
import type { Endpoint, NetworkDriver } from '../../network/network-driver.js';
import type { PortMapping } from '../../network/port-mapping.js';

/** A driver, and what gives its resources back. */
export interface OpenedNetworkDriver {
  readonly driver: NetworkDriver;
  /** Gives back what was made for the test. */
  close(): PromiseLike<void>;
}

/** A network driver under test. */
export interface NetworkDriverFixture {
  /** A driver on which nothing is attached, and what gives its resources back. */
  open(): Promise<OpenedNetworkDriver>;
  readonly name: string;
  readonly namespace: 'new' | 'host';
  /** True when containers get an address and may publish ports. */
  readonly addresses: boolean;
}

/** What every {@link NetworkDriver} does. */
export function networkDriverContract(fixture: NetworkDriverFixture): void {
  const contract = (title: string, body: (driver: NetworkDriver) => Promise<void>): void => {
    test(title, async () => {
      const { driver, close } = await fixture.open();
      try {
        await body(driver);
      } finally {
        await close();
      }
    });
  };

  describe(`network driver ${fixture.name}`, () => {
    contract('names itself and the namespace of its containers', async (driver) => {
      assert.equal(driver.name, fixture.name);
      assert.equal((await attach(driver, 'one')).namespace, fixture.namespace);
    });

    contract('gives an aborted attach up with the reason of the signal', async (driver) => {
      const reason = new Error('changed my mind');
      const request = { containerId: 'one', hostname: 'one', ports: [], runDirectory: '/nonexistent' };
      await assert.rejects(
        driver.attach({ ...request, signal: AbortSignal.abort(reason) }),
        (error) => error === reason,
      );
    });

    contract('detaches what is attached, twice, and what never was', async (driver) => {
      await attach(driver, 'one');
      await driver.detach('one');
      await driver.detach('one');
      await driver.detach('unknown');
    });

    contract('sweeps with nobody attached', async (driver) => {
      await driver.sweep(() => false);
    });

    contract('makes plans that are plain data', async (driver) => {
      const { plan } = await attach(driver, 'one');
      assert.deepEqual(structuredClone(plan), plan);
    });

    if (fixture.addresses) addressContract(contract);
    else {
      contract('has no addresses and refuses to publish ports', async (driver) => {
        assert.deepEqual((await attach(driver, 'one')).addresses, []);
        await assert.rejects(attach(driver, 'two', port(0)), (error) => EngineError.is(error, 'INVALID_PORT_MAPPING'));
      });
    }
  });
}

type Contract = (title: string, body: (driver: NetworkDriver) => Promise<void>) => void;

function addressContract(contract: Contract): void {
  contract('gives each container an address of its own and does not use a released one at once', async (driver) => {
    const one = addressOf(await attach(driver, 'one'));
    const two = addressOf(await attach(driver, 'two'));
    await driver.detach('one');
    const three = addressOf(await attach(driver, 'three'));
    assert.equal(new Set([one, two, three]).size, 3);
  });

  contract('gives one gateway to all and none of its addresses to a container', async (driver) => {
    const endpoints = await Promise.all(['one', 'two', 'three'].map((id) => attach(driver, id)));
    const gateways = new Set(endpoints.map(({ addresses }) => addresses[0]?.gateway));
    assert.equal(gateways.size, 1);
    for (const endpoint of endpoints) assert.ok(!gateways.has(addressOf(endpoint)));
  });

  contract('chooses a host port where none is given, and keeps one that is', async (driver) => {
    const chosen = await attach(driver, 'one', port(0), port(0));
    const [first, second] = chosen.ports.map(({ hostPort }) => hostPort);
    assert.ok(first !== undefined && second !== undefined && first > 0 && second > 0 && first !== second);
    await driver.detach('one');
    const given = await attach(driver, 'two', port(first));
    assert.deepEqual(given.ports, [port(first)]);
  });

  contract('gives addresses of dead containers back when swept, and asks for each container', async (driver) => {
    await attach(driver, 'alive');
    await attach(driver, 'dead', port(0));
    const asked: string[] = [];
    await driver.sweep((id) => {
      asked.push(id);
      return id === 'alive';
    });
    assert.deepEqual(asked.sort(), ['alive', 'dead']);
    asked.length = 0;
    await driver.sweep(async (id) => {
      asked.push(id);
      return true;
    });
    assert.deepEqual(asked, ['alive']);
  });

  contract('attaching a container again replaces what it had', async (driver) => {
    await attach(driver, 'one');
    await attach(driver, 'one');
    const asked: string[] = [];
    await driver.sweep((id) => asked.push(id) > 0);
    assert.deepEqual(asked, ['one']);
  });
}

function attach(driver: NetworkDriver, containerId: string, ...ports: readonly PortMapping[]): Promise<Endpoint> {
  return driver.attach({ containerId, hostname: containerId, ports, runDirectory: '/nonexistent' });
}

function port(hostPort: number): PortMapping {
  return { hostAddress: '127.0.0.1', hostPort, containerPort: 80, protocol: 'tcp' };
}

function addressOf(endpoint: Endpoint): string {
  const [first] = endpoint.addresses;
  assert.ok(first !== undefined);
  return first.address;
}
