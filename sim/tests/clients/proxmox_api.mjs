import assert from 'node:assert';
import proxmoxApi from 'proxmox-api';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
const host = proxmoxApi({ host: '127.0.0.1', port: Number(process.argv[2]), username: 'root@pam', password: 'gantry-sim' });
const node = host.nodes.$('pve1');

async function done(upid) {
  for (;;) {
    const status = await node.tasks.$(upid).status.$get();
    if (status.status === 'stopped') {
      assert.equal(status.exitstatus, 'OK');
      return;
    }
  }
}

const vmid = Number(await host.cluster.nextid.$get());
await done(await node.lxc.$post({
  vmid, ostemplate: 'local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst', storage: 'local-btrfs', rootfs: 'local-btrfs:4', hostname: 'fromnpm', password: 'secret12',
}));
const ct = node.lxc.$(vmid);
await done(await ct.status.start.$post());
assert.equal((await ct.status.current.$get()).status, 'running');
await done(await ct.snapshot.$post({ snapname: 'before' }));
await done(await ct.resize.$put({ disk: 'rootfs', size: '+2G' }));
assert.match((await ct.config.$get()).rootfs, /size=6G$/);
await done(await ct.status.stop.$post());
await done(await ct.$delete());
assert.deepEqual(await node.lxc.$get(), []);
