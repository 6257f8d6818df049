// What all connections to naming servers have in common: the order of their addresses, and options of the channel. Knows no
// protocol.
import type { ChannelOptions } from '@grpc/grpc-js'
import type { Random } from '../watch/clock.ts'

/** One connection to one address, which ends when its server does: what comes after it is decided here, not by grpc-js. */
export const serverChannel: ChannelOptions = {
  'grpc.enable_channelz': 0,
  'grpc.enable_retries': 0,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.service_config_disable_resolution': 1,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc.max_send_message_length': 4 * 1024 * 1024,
  'grpc-node.flow_control_window': 1024 * 1024,
}

/** The same addresses in random order, so that a fleet spreads over its servers. */
export function shuffle(addresses: readonly string[], random: Random): readonly string[] {
  return addresses
    .map(address => ({ address, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ address }) => address)
}
