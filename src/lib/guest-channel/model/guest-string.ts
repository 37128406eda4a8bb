/** Text for the guest, or bytes that are not UTF-8. */
export type GuestString = string | Uint8Array
