/* SPDX-License-Identifier: Apache-2.0 */
/* virtio_names.h - included before runtime/virtio's network driver in a hosted build, where
 * virtio-net is one device of several: netdevs.c has the names of netdev.h, and leads to these. */
#define netdev virtio_netdev
#define netdev_queue virtio_netdev_queue
#define netdev_get virtio_netdev_get
#define netdev_open virtio_netdev_open
#define netdev_tx virtio_netdev_tx
#define netdev_drops(q) virtio_netdev_drops(q)
#define netdev_info(d) virtio_netdev_info(d) /* the function, not the struct */
