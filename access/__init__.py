"""Who may enter: accounts of consultants, federations and operators, invitations, passkeys, sign-ins, the access log.

One rule: only keyed hashes of tokens are kept, and a name or an address only sealed. No HTTP here; rooms above ask who
somebody is and write down what they opened.
"""
