"""The engines that listen and write, behind the two contracts in `contracts`."""
