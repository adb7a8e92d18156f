"""Multi-tenant repositories, accounts and a fair queue for generation studios."""
