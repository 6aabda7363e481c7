import sys
import time

from proxmoxer import ProxmoxAPI
from proxmoxer.tools import Tasks

host = ProxmoxAPI("127.0.0.1", port=int(sys.argv[1]), user="root@pam", password="gantry-sim", verify_ssl=False)


def done(upid):
    status = Tasks.blocking_status(host, upid, timeout=30, polling_interval=0.05)
    assert status["exitstatus"] == "OK", status


node = host.nodes("pve1")
vmid = host.cluster.nextid.get()
done(node.lxc.create(vmid=vmid, ostemplate="local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst", storage="local-btrfs",
                     rootfs="local-btrfs:4", hostname="fromproxmoxer", password="secret12", net0="name=eth0,bridge=vmbr0,ip=dhcp"))
ct = node.lxc(vmid)
done(ct.status.start.post())
assert ct.status.current.get()["status"] == "running"
done(ct.snapshot.post(snapname="before"))
assert [row["name"] for row in ct.snapshot.get()] == ["before", "current"]
done(ct.resize.put(disk="rootfs", size="+2G"))
assert ct.config.get()["rootfs"].endswith("size=6G")
done(ct.status.stop.post())
done(ct.delete())
assert node.lxc.get() == []
