"""The texts of what is odd about a sender: title, cause, remedy."""

from soinbox_web.texts import N_

TEXTS = {
    "sender_not_proven": (
        N_("The sender is not proven"),
        N_("Your mail server could not confirm that this e-mail comes from {domain}."),
        N_("Ask the sender in another way, by telephone for one, before you open links or attachments."),
    ),
    "several_senders": (
        N_("This e-mail names several senders"),
        N_("E-mail of a person has one sender; which one you see depends on the program."),
        N_("Look at the source, and answer only an address that you know."),
    ),
    "domain_looks_alike": (
        N_("The address only resembles one that you know"),
        N_("This e-mail comes from {domain}, which is not {other}."),
        N_("Do not answer, pay or sign in. Write to the address on the card instead."),
    ),
    "domain_mixed": (
        N_("The address is written in letters that imitate others"),
        N_("The domain {domain} has letters of different alphabets that look alike."),
        N_("Treat it as an unknown sender, whatever the name says."),
    ),
    "address_in_name": (
        N_("The name shows another address"),
        N_("The sender calls itself “{name}”, but the e-mail comes from {address}."),
        N_("Go by the real address. Ask the person in another way when something is asked of you."),
    ),
    "name_of_known": (
        N_("A known name with an unknown address"),
        N_("“{name}” is on a card, but {address} is not."),
        N_("Ask the person by telephone. Put the address on the card when it is theirs."),
    ),
    "reply_elsewhere": (
        N_("Your answer would go somewhere else"),
        N_("The e-mail comes from {address}, but an answer would go to {reply}."),
        N_("Write a new e-mail to the address that you know."),
    ),
}
