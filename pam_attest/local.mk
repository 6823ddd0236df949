# gate, attestd, attestctl: one block a link domain.
